"""What a rule asks, as the hunt describes it to itself: written as YAML data, and weighed without the engine's help.

What is not known is weighed as an interval: a clause surely holds, or it may. Where both are false it surely does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Bounds: TypeAlias = tuple[bool, bool]
"""Whether something surely holds, and whether it may."""

NEVER, OPEN, SURELY = (False, False), (False, True), (True, True)


class Truth(Struct, frozen=True):
    """What a signal has to say of a request, known by construction.

    Attributes:
        labels: those that it has.
        confidence: in [0, 1].
        number: None where it is none.
        absent: whether it cannot be read; then nothing else counts.
    """

    labels: frozenset[str] = frozenset()
    confidence: float = 1.0
    number: float | None = None
    absent: bool = False


ABSENT = Truth(absent=True)


class Says(Struct, frozen=True):
    """One signal says this; all that is stated has to hold.

    Attributes:
        source: name of the signal.
        floor: of the signal itself: a label below it is not sure.
        flag: whether it has any label.
        confidence: in place of the floor; below it the label is none.
    """

    source: str
    floor: float = 0.0
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    flag: bool | None = None
    at_least: float | None = None
    below: float | None = None
    confidence: float | None = None


class Every(Struct, frozen=True):
    """All parts hold."""

    parts: tuple[Clause, ...]


class Some(Struct, frozen=True):
    """At least one part holds."""

    parts: tuple[Clause, ...]


class Isnt(Struct, frozen=True):
    """The part does not hold."""

    part: Clause


Clause: TypeAlias = Says | Every | Some | Isnt


def written(clause: Clause) -> dict[str, Any]:
    """Write a clause as a `when` has it."""
    if isinstance(clause, Every):
        return {"all": [written(part) for part in clause.parts]}
    if isinstance(clause, Some):
        return {"any": [written(part) for part in clause.parts]}
    if isinstance(clause, Isnt):
        return {"not": written(clause.part)}
    return {clause.source: _test(clause)}


def _test(says: Says) -> Any:  # noqa: ANN401 - a flag, a label, a list or a mapping
    if says.flag is not None:
        return says.flag
    lists = {name: list(getattr(says, name)) for name in ("any_of", "all_of", "none_of") if getattr(says, name)}
    numbers = {name: getattr(says, name) for name in ("at_least", "below") if getattr(says, name) is not None}
    sure = {} if says.confidence is None else {"confidence": says.confidence}
    if not numbers and not sure and lists.keys() == {"any_of"}:
        return lists["any_of"] if len(says.any_of) > 1 else says.any_of[0]
    return {**lists, **numbers, **sure}


def sources(clause: Clause) -> Iterator[str]:
    """Yield the signals that a clause names."""
    if isinstance(clause, Says):
        yield clause.source
    elif isinstance(clause, Isnt):
        yield from sources(clause.part)
    else:
        for part in clause.parts:
            yield from sources(part)


def weigh(clause: Clause, truth: Callable[[str], Truth], *, narrows: bool) -> Bounds:
    """Weigh a clause.

    Args:
        clause: of a safety rule.
        truth: signal name -> what it has to say.
        narrows: whether the rule restricts: a label below its signal's own floor is open to it, and none to others.
    """
    if isinstance(clause, Isnt):
        surely, maybe = weigh(clause.part, truth, narrows=narrows)
        return not maybe, not surely
    if isinstance(clause, Says):
        return _weigh(clause, truth(clause.source), narrows=narrows)
    bounds = [weigh(part, truth, narrows=narrows) for part in clause.parts]
    join = all if isinstance(clause, Every) else any
    return join(surely for surely, _ in bounds), join(maybe for _, maybe in bounds)


def _weigh(says: Says, truth: Truth, *, narrows: bool) -> Bounds:
    if truth.absent:
        return OPEN
    is_sure = truth.confidence >= (says.floor if says.confidence is None else says.confidence)
    unsure = OPEN if narrows and says.confidence is None else NEVER
    wanted, refused = SURELY, NEVER
    if says.any_of or says.all_of or says.flag is not None:
        wanted = _bounds(_labelled(says, truth.labels)) if is_sure else unsure
    if says.none_of:
        refused = _bounds(not truth.labels.isdisjoint(says.none_of)) if is_sure else unsure
    if says.at_least is not None or says.below is not None:
        wanted = wanted if _within(says, truth.number) else NEVER
    return wanted[0] and not refused[1], wanted[1] and not refused[0]


def _bounds(holds: bool) -> Bounds:  # noqa: FBT001 - the one thing that it is about
    return SURELY if holds else NEVER


def _labelled(says: Says, labels: frozenset[str]) -> bool:
    if says.flag is not None and bool(labels) is not says.flag:
        return False
    return labels.issuperset(says.all_of) and not (says.any_of and labels.isdisjoint(says.any_of))


def _within(says: Says, number: float | None) -> bool:
    if number is None:
        return False
    return (says.at_least is None or number >= says.at_least) and (says.below is None or number < says.below)
