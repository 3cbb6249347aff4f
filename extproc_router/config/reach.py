"""Rules that no request can reach: no mistake, and hardly meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.policy.conditions import All, Always, AnyOf, Test

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extproc_router.config.loader import Config
    from extproc_router.policy.conditions import Condition
    from extproc_router.policy.rules import Route
    from extproc_router.types import Mistake

_ALL = 100.0  # percent


def unreachable(config: Config, routes: Sequence[Route]) -> Iterator[Mistake]:
    """Find the rules behind one that takes every request, or every request that they would take.

    Args:
        config: as loaded.
        routes: its rules in order, then those of the table of domains.
    """
    takers: list[Route] = []
    for index, route in enumerate(routes):
        before = next((taker for taker in takers if implies(route.condition, taker.condition)), None)
        if before is not None:
            message = f"never reached: {before.name!r} takes all of its requests before"
            yield config.document.mistake(_path(config, index), message)
        if not route.shadow and route.percent >= _ALL:
            takers.append(route)


def _path(config: Config, index: int) -> tuple[str | int, ...]:
    return ("rules", index) if index < len(config.written.rules) else ("routing", "domains")


def implies(one: Condition, other: Condition) -> bool:
    """Whether wherever `one` holds, `other` surely does; what takes more than a look at their parts is not found."""
    if isinstance(other, Always) or one == other:
        return True
    if isinstance(one, AnyOf):
        return all(implies(part, other) for part in one.parts)
    if isinstance(other, All):
        return all(implies(one, part) for part in other.parts)
    if isinstance(one, All) and any(implies(part, other) for part in one.parts):
        return True
    if isinstance(other, AnyOf):
        return any(implies(one, part) for part in other.parts)
    return isinstance(one, Test) and isinstance(other, Test) and _is_narrower(one, other)


def _is_narrower(one: Test, other: Test) -> bool:
    """Whether a test lets nothing through that another one on the same signal does not."""
    if one.name != other.name:
        return False
    if other.asks_labels and not (one.asks_labels and one.floor >= other.floor and _labels_within(one, other)):
        return False
    return not other.compares or (one.compares and _numbers_within(one, other))


def _labels_within(one: Test, other: Test) -> bool:
    has_some = one.truth is True or bool(one.any_of or one.all_of)
    if other.truth is not None and not (has_some if other.truth else one.truth is False):
        return False
    if other.any_of is not None:
        is_one_of = one.any_of is not None and one.any_of <= other.any_of
        if not (is_one_of or (one.all_of is not None and one.all_of & other.any_of)):
            return False
    return other.all_of is None or other.all_of <= _surely(one)


def _surely(test: Test) -> frozenset[str]:
    """Return the labels that whatever passes a test has."""
    single = test.any_of if test.any_of is not None and len(test.any_of) == 1 else frozenset()
    return single | (test.all_of or frozenset())


def _numbers_within(one: Test, other: Test) -> bool:
    lower = [(bound, strict) for bound, strict in ((one.above, True), (one.at_least, False)) if bound is not None]
    upper = [(-bound, strict) for bound, strict in ((one.below, True), (one.at_most, False)) if bound is not None]
    wanted_lower = ((other.above, True), (other.at_least, False))
    wanted_upper = ((other.below, True), (other.at_most, False))
    return all(
        max(have, default=(float("-inf"), False)) >= (sign * bound, strict)
        for have, wanted, sign in ((lower, wanted_lower, 1), (upper, wanted_upper, -1))
        for bound, strict in wanted
        if bound is not None
    )
