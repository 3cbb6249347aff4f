from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.policy.conditions import PENDING_SIGNAL, State
from extproc_router.policy.conditions import Test as Asks
from extproc_router.policy.matching import REASONING, Match, match, takes_part
from extproc_router.policy.rules import Edits, Route, Think
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Situation

WORLD = {
    "yes": Signal("yes", "x", 1.0, frozenset({"x"})),
    "no": Signal("no", "", 1.0),
    "low": Signal("low", "x", 0.1, frozenset({"x"})),
    "absent": Signal("absent", "", 0.0, absent="timeout"),
    "pending": PENDING_SIGNAL,
    REASONING: PENDING_SIGNAL,
}


@pytest.fixture(scope="session")
def pool(model: Callable[..., Candidate]) -> list[Candidate]:
    return [model(name, quality={"": 0.6}, ttft_ms=1.0, tokens_per_second=1.0) for name in "vwxyz"]


@pytest.fixture(scope="session")
def rule(picker: Callable[..., Any], pool: list[Candidate]) -> Callable[..., Route]:
    def make(when: str, **members: Any) -> Route:
        """A rule for requests of which the signal of this name is sure to have a label."""
        stated: dict[str, Any] = {"name": when, "pool": tuple(pool), "picker": picker(pool, pick="static")}
        return Route(condition=Asks(when, truth=True, floor=0.5), **(stated | members))

    return make


@pytest.fixture(scope="session")
def found(situation: Callable[..., Situation]) -> Callable[..., Match]:
    def find(*routes: Route, keys: dict[str, str] | None = None) -> Match:
        return match(routes, situation(list(WORLD.values()), keys, signal=WORLD.__getitem__))

    return find


def test_the_first_that_matches_counts(rule: Any, found: Any) -> None:
    first = rule("yes", name="first")
    assert found(rule("no"), first, rule("yes")) == Match(first, None, None, (), frozenset())
    assert found(rule("no")) == found() == Match(None, None, None, (), frozenset())


def test_a_rule_that_is_not_sure_is_passed_by_and_remembered(rule: Any, found: Any) -> None:
    low, later, yes = rule("low", name="first"), rule("low"), rule("yes")
    assert found(low, later, yes) == Match(yes, None, low, (), frozenset())
    assert found(low, later) == Match(None, None, low, (), frozenset())


def test_behind_a_rule_that_cannot_be_decided_nothing_is_looked_at(rule: Any, found: Any) -> None:
    absent = rule("absent")
    assert found(rule("no"), absent, rule("yes")) == Match(None, absent, None, (), frozenset())


def test_a_shadow_that_cannot_be_decided_hides_nothing(rule: Any, found: Any) -> None:
    yes = rule("yes")
    assert found(rule("absent", shadow=True), rule("low", shadow=True), yes) == Match(yes, None, None, (), frozenset())


def test_shadows_that_match_are_told(rule: Any, found: Any) -> None:
    shadow, yes = rule("yes", shadow=True), rule("yes")
    assert found(rule("no", shadow=True), shadow, yes, rule("yes", shadow=True)).shadows == (shadow,)


def test_everything_up_to_a_rule_that_settles_it_is_asked_for_at_once(rule: Any, found: Any, picker: Any) -> None:
    pending = rule("pending", edits=Edits(think=Think.AUTO))
    assert found(rule("pending"), rule("yes"), pending).pending == {"pending"}
    assert found(rule("no", edits=Edits(think=Think.AUTO)), pending).pending == {"pending", REASONING}
    assert found(rule("yes", edits=Edits(think=Think.AUTO))).pending == {REASONING}
    assert found(rule("yes", edits=Edits(think=Think.ON))).pending == frozenset()


def test_what_a_strategy_reads_is_asked_for_with_the_rule(rule: Any, found: Any, picker: Any, pool: Any) -> None:
    options = {"pick": "threshold", "strong": "v", "weak": "w", "at": 0.5, "signal": "pending"}
    strategy = picker(pool[:2], signals=frozenset({"pending"}), **options)
    assert found(rule("yes", picker=strategy)).pending == {"pending"}
    assert found(rule("yes", picker=strategy, shadow=True)).pending == {"pending"}
    assert found(rule("low", picker=strategy)).pending == frozenset()


class TestPercentage:
    def test_without_the_key_a_request_is_not_among_them(self, rule: Any, situation: Any) -> None:
        half = rule("yes", percent=99.9, by="header:x-user")
        assert not takes_part(half, situation())
        assert takes_part(rule("yes"), situation())

    def test_so_many_take_part_and_who_does_still_does_when_there_are_more(self, rule: Any, situation: Any) -> None:
        taken = Counter[float]()
        for user in range(2000):
            request = situation(keys={"header:x-user": str(user)})
            takes = [takes_part(rule("yes", percent=percent, by="header:x-user"), request) for percent in (5, 30, 60)]
            assert takes == sorted(takes)
            taken.update(percent for percent, takes_it in zip((5, 30, 60), takes, strict=True) if takes_it)
        assert [taken[percent] / 20 for percent in (5, 30, 60)] == pytest.approx([5, 30, 60], abs=3)

    def test_two_rules_take_different_ones(self, rule: Any, situation: Any) -> None:
        both = Counter[tuple[bool, bool]]()
        for user in range(1000):
            request = situation(keys={"request": str(user)})
            both[takes_part(rule("yes", percent=50), request), takes_part(rule("no", percent=50), request)] += 1
        assert min(both.values()) > 180

    def test_who_is_not_among_them_waits_for_nothing(self, rule: Any, found: Any) -> None:
        assert found(rule("pending", percent=0.000001), keys={"request": "1"}).pending == frozenset()
        out = rule("absent", percent=0.000001)
        assert found(out, keys={"request": "1"}) == Match(None, None, None, (), frozenset())


class TestLaws:
    @given(st.data())
    def test_it_is_the_first_that_matches(self, logic: Any, pool: Any, situation: Any, data: st.DataObject) -> None:
        """What people read in the file, written plainly."""
        routes = data.draw(logic.routes(pool))
        world = data.draw(logic.worlds(absent=True))
        request = situation(signal=world.__getitem__, keys={"request": "1"})
        expected: Route | None = None
        for route in routes:
            state = route.condition.state(request.signal)
            if route.shadow or not takes_part(route, request) or state in {State.NO, State.LOW}:
                continue
            expected = route if state is State.YES else None
            break
        assert match(routes, request).route is expected

    @given(st.data())
    def test_one_round_of_answers_settles_it(self, logic: Any, pool: Any, situation: Any, data: st.DataObject) -> None:
        routes = data.draw(logic.routes(pool))
        world = data.draw(logic.worlds(absent=True, pending=True))
        request = situation(signal=world.__getitem__, keys={"request": "1"})
        pending = match(routes, request).pending
        assert all(world[name] is PENDING_SIGNAL for name in pending)
        answered = world | {name: data.draw(logic.values(name) | st.just(logic.absent(name))) for name in pending}
        assert not match(routes, situation(signal=answered.__getitem__, keys={"request": "1"})).pending

    @given(st.data())
    def test_where_nothing_is_waited_for_no_answer_could_change_it(
        self, logic: Any, pool: Any, situation: Any, data: st.DataObject
    ) -> None:
        routes = data.draw(logic.routes(pool))
        world = data.draw(logic.worlds(absent=True, pending=True))
        full = data.draw(logic.fill(world, State.PENDING))
        found = match(routes, situation(signal=world.__getitem__))
        if not found.pending:
            assert match(routes, situation(signal=full.__getitem__)) == found

    @given(st.data())
    def test_what_is_absent_leads_to_the_same_rule_or_to_none(
        self, logic: Any, pool: Any, situation: Any, data: st.DataObject
    ) -> None:
        """A rule that matches unseen would have matched, whatever the absent signals had said."""
        routes = data.draw(logic.routes(pool))
        world = data.draw(logic.worlds(absent=True))
        full = data.draw(logic.fill(world, State.ABSENT))
        blind = match(routes, situation(signal=world.__getitem__))
        seeing = match(routes, situation(signal=full.__getitem__))
        if blind.shed is None:
            assert (blind.route, blind.low) == (seeing.route, seeing.low)
        else:
            assert blind.route is None

    @given(st.data())
    def test_shadows_change_nothing(self, logic: Any, pool: Any, situation: Any, data: st.DataObject) -> None:
        routes = data.draw(logic.routes(pool))
        request = situation(signal=data.draw(logic.worlds(absent=True)).__getitem__, keys={"request": "1"})
        found = match(routes, request)
        real = match([route for route in routes if not route.shadow], request)
        assert (found.route, found.shed, found.low) == (real.route, real.shed, real.low)
