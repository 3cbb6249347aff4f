"""Conditions over signals, as they are evaluated: lazily, cheapest first, and honest about what is not known.

A signal says yes or no to a test, or it is not sure enough, or it could not be read, or it waits for the encoder. The
three that are neither yes nor no travel through `all`, `any` and `not` as Kleene's third value does (S. C. Kleene,
Introduction to Metamathematics, 1952, section 64): a no settles `all` and a yes settles `any`, whatever else is open.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

Read: TypeAlias = Callable[[str], Signal]
"""Signal name -> the signal, read at most once per request."""

PENDING_SIGNAL = Signal("", "", 0.0, absent="pending")
"""Stands for a signal whose answer was not asked for yet."""


class State(IntEnum):
    """What a condition comes to; above YES it is open, and the higher one hides the lower."""

    NO = 0
    YES = 1
    LOW = 2  # a signal is not sure enough
    ABSENT = 3  # a signal could not be read
    PENDING = 4  # a signal waits for its answer


# Looked up thousands of times a second; a member of an enumeration takes a walk to find.
_NO, _YES, _LOW, _ABSENT, _PENDING = State


class Condition(Protocol):
    """One condition, compiled."""

    @property
    def names(self) -> frozenset[str]:
        """The signals that it may read."""
        ...

    def state(self, read: Read) -> State:
        """Evaluate, reading no more than is needed."""
        ...

    def pending(self, read: Read) -> frozenset[str]:
        """Return the signals that it waits for; only to be called where the state is PENDING."""
        ...

    def explain(self, read: Read) -> str:
        """Say in words why the state is what it is; reads no signal that `state` would not."""
        ...


class Test(Struct, frozen=True):
    """One signal against one test.

    Attributes:
        name: of the signal.
        any_of: at least one of these labels; None where labels are not asked for.
        all_of: every one of these.
        truth: whether it has any label at all; None where that is not asked for.
        above: number > this; likewise `at_least` >=, `below` <, `at_most` <=.
        asks_labels: whether any test on labels is there.
        compares: whether any test on the number is there.
        floor: a label below this confidence decides nothing.
        low: what such a label comes to: LOW in a rule that routes or restricts, NO in one that guards otherwise, so
            that `not` and this together mean "unless it is surely so".
        blank: what a comparison comes to where the signal is no number: LOW in a rule that routes, else NO.
    """

    name: str
    any_of: frozenset[str] | None = None
    all_of: frozenset[str] | None = None
    truth: bool | None = None
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    asks_labels: bool = True
    compares: bool = False
    floor: float = 0.0
    low: State = _LOW
    blank: State = _LOW

    @property
    def names(self) -> frozenset[str]:
        """The one signal."""
        return frozenset({self.name})

    def state(self, read: Read) -> State:
        """Evaluate."""
        signal = read(self.name)
        if signal.absent:
            return _PENDING if signal is PENDING_SIGNAL else _ABSENT
        if self.asks_labels:
            if signal.confidence < self.floor:
                return self.low
            if not self._labelled(signal.labels):
                return _NO
            if not self.compares:
                return _YES
        if signal.number is None:
            return self.blank
        return _YES if self._within(signal.number) else _NO

    def _labelled(self, labels: frozenset[str]) -> bool:
        if self.any_of is not None and labels.isdisjoint(self.any_of):
            return False
        return (self.all_of is None or self.all_of <= labels) and (self.truth is None or bool(labels) is self.truth)

    def _within(self, number: float) -> bool:
        return not (
            (self.above is not None and number <= self.above)
            or (self.at_least is not None and number < self.at_least)
            or (self.below is not None and number >= self.below)
            or (self.at_most is not None and number > self.at_most)
        )

    def pending(self, _: Read) -> frozenset[str]:
        """The one signal."""
        return self.names

    def explain(self, read: Read) -> str:
        """Say what the signal said, and what was wanted where it is another thing."""
        signal, state = read(self.name), self.state(read)
        if state is _PENDING:
            return f"{self.name} was not read"
        if state is _ABSENT:
            return f"{self.name} is absent ({signal.absent})"
        said = f"{self.name} is {shown(signal, number=self.compares)}"
        if signal.confidence < self.floor and self.asks_labels:
            return f"{said}, below the floor {self.floor:.2f}"
        return said if state is _YES else f"{said}, not {self._wanted()}"

    def _wanted(self) -> str:
        parts = [f"one of {', '.join(sorted(self.any_of))}"] if self.any_of and len(self.any_of) > 1 else []
        parts += sorted(self.any_of) if self.any_of and len(self.any_of) == 1 else []
        parts += [f"all of {', '.join(sorted(self.all_of))}"] if self.all_of else []
        parts += ["set" if self.truth else "unset"] if self.truth is not None else []
        bounds = (("above", self.above), ("at least", self.at_least), ("below", self.below), ("at most", self.at_most))
        parts += [f"{word} {bound:g}" for word, bound in bounds if bound is not None]
        return " and ".join(parts)


def shown(signal: Signal, *, number: bool) -> str:
    """Write what a signal says in a few words.

    Args:
        signal: one that was read.
        number: whether its number is what matters.
    """
    if number and signal.number is not None:
        return f"{signal.number:.4g}"
    sure = f" ({signal.confidence:.2f})" if signal.confidence < 1 and signal.labels else ""
    return f"{signal.label}{sure}" if signal.label else "nothing"


class All(Struct, frozen=True):
    """Every part holds; parts are cheapest first."""

    parts: tuple[Condition, ...]

    @property
    def names(self) -> frozenset[str]:
        """Those of its parts."""
        return _names(self.parts)

    def state(self, read: Read) -> State:
        """NO where a part says no, else open where one is, else YES."""
        state = _YES
        for part in self.parts:
            of_part = part.state(read)
            if of_part is _NO:
                return _NO
            state = max(state, of_part)
        return state

    def pending(self, read: Read) -> frozenset[str]:
        """Those of the parts that wait."""
        return _pending(self.parts, read)

    def explain(self, read: Read) -> str:
        """Name the part that settled it, or all of them."""
        return _explain(self, _YES, read)


class AnyOf(Struct, frozen=True):
    """At least one part holds; parts are cheapest first."""

    parts: tuple[Condition, ...]

    @property
    def names(self) -> frozenset[str]:
        """Those of its parts."""
        return _names(self.parts)

    def state(self, read: Read) -> State:
        """YES where a part says yes, else open where one is, else NO."""
        state = _NO
        for part in self.parts:
            of_part = part.state(read)
            if of_part is _YES:
                return _YES
            state = max(state, of_part)
        return state

    def pending(self, read: Read) -> frozenset[str]:
        """Those of the parts that wait."""
        return _pending(self.parts, read)

    def explain(self, read: Read) -> str:
        """Name the part that settled it, or all of them."""
        return _explain(self, _NO, read)


class Not(Struct, frozen=True):
    """The part does not hold; what is open stays open."""

    part: Condition

    @property
    def names(self) -> frozenset[str]:
        """Those of its part."""
        return self.part.names

    def state(self, read: Read) -> State:
        """YES for NO and NO for YES."""
        state = self.part.state(read)
        return _NEGATED.get(state, state)

    def pending(self, read: Read) -> frozenset[str]:
        """Those of its part."""
        return self.part.pending(read)

    def explain(self, read: Read) -> str:
        """Say what the part says."""
        return self.part.explain(read)


class Always(Struct, frozen=True):
    """Holds for every request."""

    @property
    def names(self) -> frozenset[str]:
        """None."""
        return frozenset()

    def state(self, _: Read) -> State:
        """YES."""
        return _YES

    def pending(self, _: Read) -> frozenset[str]:
        """None."""
        return frozenset()

    def explain(self, _: Read) -> str:
        """Say so."""
        return "it holds for every request"


_NEGATED = {_NO: _YES, _YES: _NO}


def _names(parts: Iterable[Condition]) -> frozenset[str]:
    return frozenset().union(*(part.names for part in parts))


def _pending(parts: Iterable[Condition], read: Read) -> frozenset[str]:
    return frozenset().union(*(part.pending(read) for part in parts if part.state(read) is _PENDING))


def _explain(whole: All | AnyOf, unanimous: State, read: Read) -> str:
    """Name the first part that comes to what the whole does; all parts where only all of them settle it."""
    state = whole.state(read)
    if state is unanimous:
        return " and ".join(dict.fromkeys(part.explain(read) for part in whole.parts))
    # The parts behind it may not have been read.
    return next(part.explain(read) for part in whole.parts if part.state(read) is state)
