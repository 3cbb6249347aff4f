"""What is hoped for of a figure, and whether it is so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from extproc_router.lab.table import Column, Side, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGETS = Table((
    Column("TARGET", 60),
    Column("LIMIT", 10, Side.RIGHT),
    Column("MEASURED", 10, Side.RIGHT),
    Column("", 6),
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What is hoped for: at most, or at least, `limit` in `unit`."""

    name: str
    limit: float
    measured: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is so."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


def table(targets: Iterable[Target]) -> str:
    """All of them, for a terminal of 100 columns."""
    return "\n".join((TARGETS.head(), *map(_row, targets)))


def _row(target: Target) -> str:
    sign = "≥" if target.at_least else "≤"
    limit, measured = f"{sign} {target.limit:g} {target.unit}", f"{target.measured:.2f} {target.unit}"
    return TARGETS.row([target.name, limit, measured, "met" if target.met else "MISSED"])
