"""Doubted answers, kept for the case that no better one comes, and what their cascades have cost so far.

Kept by the decision's id, which the router makes up: a request's id may be the client's choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from extproc_router.types import Reply
from extproc_router.verifier.judged import Judged, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable


MAX_ANSWER_BYTES: Final = 1 << 20
"""Of one answer; longer ones are not held, so not judged."""

MAX_BYTES: Final = 64 << 20
"""Of all answers that are kept."""

MAX_CASES: Final = 10_000

SECONDS: Final = 60.0
"""How long the next attempt may take to begin; how long one lasts does not count."""


class _Case(Struct):
    """A cascade; `until` is when it is forgotten, None while an attempt lasts."""

    judged: Judged
    reply: Reply | None
    until: float | None


class Keeper:
    """Cascades whose end is not known.

    Args:
        clock: seconds, of any origin.
        max_bytes: of all answers together; the oldest ones go.
        max_cases: likewise, of cascades.
    """

    def __init__(self, clock: Callable[[], float], *, max_bytes: int = MAX_BYTES, max_cases: int = MAX_CASES) -> None:
        self._clock = clock
        self._max_bytes, self._max_cases = max_bytes, max_cases
        self._cases: dict[str, _Case] = {}  # the oldest first
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._cases)

    @property
    def held(self) -> int:
        """Bytes of answers."""
        return self._bytes

    def keep(self, judged: Judged, reply: Reply | None = None) -> list[Judged]:
        """Keep a cascade until its next attempt begins.

        Args:
            judged: as far as it has come.
            reply: what is served where no other model answers.

        Returns:
            Those that had to go for it.
        """
        self.take(judged.decision_id)
        self._cases[judged.decision_id] = _Case(judged, reply, self._clock() + SECONDS)
        self._bytes += len(reply.body) if reply else 0
        return self._make_room()

    def begin(self, decision_id: str) -> None:
        """The next attempt has begun: for as long as it lasts, time does not count."""
        case = self._cases.get(decision_id)
        if case:
            case.until = None

    def rest(self, decision_id: str) -> None:
        """The attempt is over and gave no answer: there may be another."""
        case = self._cases.get(decision_id)
        if case:
            case.until = self._clock() + SECONDS

    def doubts(self, decision_id: str) -> bool:
        """Whether a first answer was doubted."""
        case = self._cases.get(decision_id)
        return case is not None and case.judged.verdict is Outcome.DOUBTED

    def reply(self, decision_id: str) -> Reply | None:
        """Hand out the answer that was kept; it is not kept any more."""
        case = self._cases.get(decision_id)
        if case is None or case.reply is None:
            return None
        reply, case.reply = case.reply, None
        self._bytes -= len(reply.body)
        return reply

    def take(self, decision_id: str) -> Judged | None:
        """Hand out a cascade, as far as it has come; nothing of it is kept any more."""
        self.reply(decision_id)
        case = self._cases.pop(decision_id, None)
        return case.judged if case else None

    def sweep(self, *, everything: bool = False) -> list[Judged]:
        """Forget cascades whose next attempt has not begun in time, or all; returns how far they have come."""
        now = self._clock()
        cases = self._cases.items()
        over = [name for name, case in cases if everything or (case.until is not None and case.until <= now)]
        return self._forget(over)

    def _make_room(self) -> list[Judged]:
        if self._bytes > self._max_bytes:
            for name in self._cases:
                self.reply(name)
                if self._bytes <= self._max_bytes:
                    break
        return self._forget([*self._cases][: max(0, len(self._cases) - self._max_cases)])

    def _forget(self, names: list[str]) -> list[Judged]:
        return [judged for name in names if (judged := self.take(name))]
