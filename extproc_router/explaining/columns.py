"""Lines for a terminal of 120 columns, in plain ASCII but for what people named."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from extproc_router.explaining.differing import cut, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 120
_GAP = "  "
_MOST = 30  # of a column that is not the last
_LEAST = 12  # of the last


def columns(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> Iterator[str]:
    """Align cells under each other; the last of a row is wrapped, others are cut where they are long.

    Args:
        rows: as many cells in each.
        indent: before each line.
    """
    clean = [[plain(cell) for cell in row] for row in rows]
    widths = [min(_MOST, max(len(cell) for cell in column)) for column in zip(*clean, strict=True)][:-1]
    for *cells, last in clean:
        laid = [f"{cut(cell, width):{width}}" for cell, width in zip(cells, widths, strict=True)]
        yield from wrapped(indent + "".join(f"{cell}{_GAP}" for cell in laid), last)


def wrapped(before: str, text: str) -> Iterator[str]:
    """Write text behind `before`, and go on under its beginning."""
    room = max(_LEAST, WIDTH - len(before))
    first, *more = textwrap.wrap(plain(text), room) or [""]
    yield f"{before}{first}".rstrip()
    yield from (f"{' ' * len(before)}{line}" for line in more)


def count(number: int, noun: str) -> str:
    """Write `1 model`, `2 models`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
