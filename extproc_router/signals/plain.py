"""A signal that is a function of the request alone: no encoder, no language model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.signals.base import YES, Cost, Subject
from extproc_router.types import Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Answers
    from extproc_router.types import Ask, Question

FLAG = frozenset({YES})
"""The known labels of a flag."""

_SHOWN = 8  # labels that a person reads in a row


class Plain(Struct, frozen=True):
    """The reader of such a signal; members as in `base.Reader`.

    Attributes:
        look: reads it.
    """

    name: str
    cost: Cost
    look: Callable[[Subject], Signal]
    known: frozenset[str] | None
    numeric: bool = False
    floor: float = 0.0

    def asks(self, _: Subject) -> tuple[Ask | Question, ...]:
        """Nothing, ever."""
        return ()

    def read(self, subject: Subject, _: Answers) -> Signal:
        """Look at the request."""
        return self.look(subject)


def fact(name: str, labels: Iterable[str], number: float | None = None) -> Signal:
    """State a fact whose labels people may see."""
    found = frozenset(labels)
    return Signal(name, shown(found), 1.0, found, number)


def flag(name: str, number: float | None = None, *, raised: bool) -> Signal:
    """State a fact that is so or not so."""
    return Signal(name, YES if raised else "no", 1.0, FLAG if raised else frozenset(), number)


def count(name: str, number: int) -> Signal:
    """State a number."""
    return Signal(name, str(number), 1.0, number=float(number))


def shown(labels: Iterable[str]) -> str:
    """Put labels together for people: sorted, the first eight; `none` where there is none."""
    ordered = sorted(labels)
    more = [f"{len(ordered) - _SHOWN} more"] if len(ordered) > _SHOWN else []
    return "+".join(ordered[:_SHOWN] + more) or "none"
