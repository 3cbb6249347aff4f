"""A plain-text table for a terminal of 100 columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
ELLIPSIS = "…"


class Side(Enum):
    """Where a cell's text is pressed to."""

    LEFT = "<"
    RIGHT = ">"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, its width in characters, and where its text goes."""

    title: str
    width: int
    side: Side = Side.LEFT


@dataclass(frozen=True, slots=True)
class Table:
    """Lays rows out; longer texts are cut, line breaks become blanks."""

    columns: tuple[Column, ...]

    @property
    def width(self) -> int:
        """Of a whole line, in characters."""
        return sum(column.width for column in self.columns) + len(GAP) * (len(self.columns) - 1)

    def head(self) -> str:
        """The titles, and a line beneath."""
        return f"{self.row([column.title for column in self.columns])}\n{'─' * self.width}"

    def row(self, cells: Sequence[str]) -> str:
        """One line.

        Raises:
            ValueError: there are more or fewer cells than columns.
        """
        laid = [
            f"{shorten(cell, column.width):{column.side.value}{column.width}}"
            for cell, column in zip(cells, self.columns, strict=True)
        ]
        return GAP.join(laid).rstrip()


def shorten(text: str, width: int) -> str:
    """One line of at most `width` characters (1 or more); an ellipsis says where something was cut."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1].rstrip() + ELLIPSIS
