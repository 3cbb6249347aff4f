from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from extproc_router.types import Reply
from extproc_router.verifier.judged import Judged, Outcome
from extproc_router.verifier.keeping import SECONDS, Keeper


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def judged(name: str = "d") -> Judged:
    return Judged(name, "r", Outcome.DOUBTED)


def reply(body: bytes = b"weak") -> Reply:
    return Reply(200, (), body)


def test_an_answer_is_kept_for_its_decision_and_handed_out_once() -> None:
    keeper = Keeper(Clock())
    assert keeper.keep(judged(), reply()) == []
    assert keeper.reply("another") is None
    assert keeper.reply("d") == reply()
    assert keeper.reply("d") is None
    assert keeper.held == 0
    assert keeper.take("d") == judged()
    assert keeper.take("d") is None


def test_what_waits_too_long_is_forgotten_and_told() -> None:
    clock = Clock()
    keeper = Keeper(clock)
    keeper.keep(judged(), reply())
    clock.now += SECONDS - 1
    assert keeper.sweep() == []
    clock.now += 1
    assert keeper.sweep() == [judged()]
    assert (len(keeper), keeper.held) == (0, 0)


def test_while_an_attempt_lasts_time_does_not_count() -> None:
    clock = Clock()
    keeper = Keeper(clock)
    keeper.keep(judged(), reply())
    keeper.begin("d")
    clock.now += 10 * SECONDS
    assert keeper.sweep() == []
    keeper.rest("d")
    clock.now += SECONDS
    assert keeper.sweep() == [judged()]


def test_attempts_of_what_is_not_kept_change_nothing() -> None:
    keeper = Keeper(Clock())
    keeper.begin("d")
    keeper.rest("d")
    assert len(keeper) == 0


def test_of_too_many_bytes_the_oldest_answers_go_but_not_their_cascades() -> None:
    keeper = Keeper(Clock(), max_bytes=10)
    for name in ("a", "b", "c"):
        assert keeper.keep(judged(name), reply(b"1234")) == []
    assert keeper.held == 8
    assert keeper.reply("a") is None
    assert keeper.reply("b") == reply(b"1234")
    assert keeper.take("a") == judged("a")


def test_of_too_many_cascades_the_oldest_go_and_are_told() -> None:
    keeper = Keeper(Clock(), max_cases=2)
    told = [each for name in ("a", "b", "c") for each in keeper.keep(judged(name), reply())]
    assert told == [judged("a")]
    assert (len(keeper), keeper.held) == (2, 8)


def test_at_the_end_everything_is_told() -> None:
    keeper = Keeper(Clock())
    keeper.keep(judged("a"), reply())
    keeper.keep(judged("b"))
    keeper.begin("b")
    assert keeper.sweep(everything=True) == [judged("a"), judged("b")]
    assert (len(keeper), keeper.held) == (0, 0)


class Any_(RuleBasedStateMachine):  # noqa: N801 - hypothesis makes the test's name of it
    """Whatever happens in whatever order, bounds hold and each cascade is handed out or told once."""

    names = st.sampled_from("abcdefgh")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.keeper = Keeper(self.clock, max_bytes=50, max_cases=5)
        self.inside: set[str] = set()

    def left(self, told: list[Judged]) -> None:
        for each in told:
            assert each.decision_id in self.inside
            self.inside.remove(each.decision_id)

    @rule(name=names, size=st.none() | st.integers(0, 60))
    def keep(self, name: str, size: int | None) -> None:
        self.inside.add(name)
        self.left(self.keeper.keep(judged(name), None if size is None else reply(b"x" * size)))

    @rule(name=names, what=st.sampled_from(["begin", "rest", "reply"]))
    def look(self, name: str, what: str) -> None:
        getattr(self.keeper, what)(name)

    @rule(name=names)
    def take(self, name: str) -> None:
        assert (self.keeper.take(name) is not None) is (name in self.inside)
        self.inside.discard(name)

    @rule(seconds=st.floats(0, 2 * SECONDS))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.left(self.keeper.sweep())

    @invariant()
    def bounded(self) -> None:
        cases: dict[str, Any] = self.keeper._cases
        assert set(cases) == self.inside
        assert len(cases) <= 5
        assert self.keeper.held == sum(len(case.reply.body) for case in cases.values() if case.reply) <= 50


TestAnyOrder = Any_.TestCase
