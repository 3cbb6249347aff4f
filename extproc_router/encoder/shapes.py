"""What a token looks like, which its vector does not say: the model's vocabulary is lower case."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

SIZE = 8
_LOOK_BACK = 16  # characters: deeper indents are rare, and a text may be all blanks


def read(text: str, offsets: Sequence[tuple[int, int]], continues: Sequence[bool]) -> npt.NDArray[np.float32]:
    """Describe tokens by the text that they stand for.

    Args:
        text: the original.
        offsets: characters [start, end) of each token.
        continues: whether a token goes on with the word of the one before.

    Returns:
        float32 [tokens, `SIZE`], each 0 or 1: its first character is an upper-case letter; all of its characters are;
        it has a digit; all of its characters are digits; all are punctuation or symbols; it goes on with a word; a
        line break, or the start of the text, stands right before it (blanks between do not count); a blank stands
        right before it.
    """
    rows = np.zeros((len(offsets), SIZE), dtype=np.float32)
    for row, (start, end), goes_on in zip(rows, offsets, continues, strict=True):
        token = text[start:end]
        if not token:
            continue
        before = text[max(0, start - 1) : start]
        digits = sum(map(str.isdigit, token))
        row[:] = (
            token[0].isupper(),
            all(map(str.isupper, token)),
            digits > 0,
            digits == len(token),
            all(unicodedata.category(character)[0] in "PS" for character in token),
            goes_on,
            _opens_a_line(text, start),
            before.isspace(),
        )
    return rows


def _opens_a_line(text: str, start: int) -> bool:
    blank = text[max(0, start - _LOOK_BACK) : start]
    margin = blank[len(blank.rstrip()) :]
    return "\n" in margin or (len(margin) == start)
