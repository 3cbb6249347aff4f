"""What a proof has found: each thing once, and no more of them than people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.types import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.envoyconf.place import Place
    from extproc_router.envoyconf.proof.doubts import Doubt

_MOST = 100
"""Leaks, and doubts, that are told."""


class Ledger:
    """Leaks and doubts, each once."""

    def __init__(self) -> None:
        self._leaks: dict[Mistake, None] = {}
        self._doubts: dict[Mistake, None] = {}

    def leak(self, place: Place, field: str, story: str) -> None:
        """Note a way out of a tier."""
        self._leaks[Mistake(place.file, place.line, field, story)] = None

    def doubt(self, doubts: Iterable[Doubt]) -> None:
        """Note what is not understood."""
        for doubt in doubts:
            place = doubt.place
            self._doubts[Mistake(place.file, place.line, doubt.field, f"not proved: {doubt.why}")] = None

    @property
    def leaks(self) -> tuple[Mistake, ...]:
        """The leaks, in file order."""
        return _in_order(self._leaks)

    @property
    def doubts(self) -> tuple[Mistake, ...]:
        """The doubts, in file order."""
        return _in_order(self._doubts)


def _in_order(found: Iterable[Mistake]) -> tuple[Mistake, ...]:
    ordered = sorted(found, key=lambda mistake: (mistake.line, mistake.field, mistake.message))
    return tuple(ordered[:_MOST])
