"""Where the characters of a JSON string stand in its spelling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each of these is one character: a pair of surrogates, a code unit, or a letter that stands for something.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)")


def offsets(literal: bytes, places: Sequence[int]) -> list[int]:
    """The byte offsets at which characters begin.

    Args:
        literal: a JSON string as spelled, without its quotation marks; valid, without half surrogate pairs.
        places: numbers of characters of the decoded text, ascending, in [0, its length].

    Returns:
        For each place its offset in `literal`, in [0, len(literal)].
    """
    if b"\\" not in literal and literal.isascii():
        return list(places)
    spelling = literal.decode()
    found: list[int] = []
    escapes = _ESCAPE.finditer(spelling)
    escape = next(escapes, None)
    longer = 0  # by how many characters the spelling is ahead of the text
    read = size = 0  # characters of the spelling that were counted, and their bytes
    for place in places:
        while escape is not None and escape.start() - longer < place:
            longer += len(escape[0]) - 1
            escape = next(escapes, None)
        size += len(spelling[read : place + longer].encode())
        read = place + longer
        found.append(size)
    return found
