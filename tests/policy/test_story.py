from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import ClientError
from extproc_router.policy.conditions import PENDING_SIGNAL, State
from extproc_router.policy.conditions import Test as Asks
from extproc_router.policy.engine import Policy
from extproc_router.policy.guarding import guard
from extproc_router.policy.rules import Action, Route, Safeguard
from extproc_router.policy.story import Line, Story, tell
from extproc_router.types import Modality, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extproc_router.candidates import Candidate

WORLD = {
    "yes": Signal("yes", "x", 1.0, frozenset({"x"})),
    "no": Signal("no", "", 1.0),
    "low": Signal("low", "x", 0.1, frozenset({"x"})),
    "absent": Signal("absent", "", 0.0, absent="timeout"),
    "pending": PENDING_SIGNAL,
}
SAID = {
    "yes": "yes is x",
    "no": "no is nothing, not set",
    "low": "low is x (0.10), below the floor 0.50",
    "absent": "absent is absent (timeout)",
    "pending": "pending was not read",
}


def guarding(action: Action, when: str, **members: Any) -> Safeguard:
    """A safety rule that applies where the signal of this name has a label."""
    stated: dict[str, Any] = {"signal": "yes", "tier": 1}
    return Safeguard(when, Asks(when, truth=True, low=State.NO), action, **(stated | members))


@pytest.fixture(scope="session")
def pool(model: Callable[..., Candidate]) -> list[Candidate]:
    return [
        model("small", clearance=1, cost_input=1.0, modalities=frozenset()),
        model("large", cost_input=2.0),
        model("vault", clearance=1, cost_input=3.0),
    ]


@pytest.fixture(scope="session")
def route(picker: Any, pool: list[Candidate]) -> Callable[..., Route]:
    def make(when: str, **members: Any) -> Route:
        strategy = picker(pool, pick="weighted", weights={"cost": 1})
        return Route(when, Asks(when, truth=True, floor=0.5), tuple(pool), strategy, **members)

    return make


@pytest.fixture(scope="session")
def told(situation: Any, pool: list[Candidate]) -> Callable[..., Story]:
    def say(
        routes: Sequence[Route] = (),
        safeguards: Sequence[Safeguard] = (),
        *,
        tier: int = 0,
        named: bool = False,
        **request: Any,
    ) -> Story:
        models = {candidate.name: candidate for candidate in pool}
        it = Policy(models, frozenset({""}), ("public", "secret", "top"), tuple(safeguards), tuple(routes), "small")
        return tell(it, tier, situation(signal=WORLD.__getitem__, **request), named=named)

    return say


def test_rules_are_told_up_to_the_one_that_matched(told: Any, route: Any) -> None:
    story = told([route("no"), route("low"), route("yes"), route("no")])
    assert story.rules == (
        Line("no", "no match", SAID["no"]),
        Line("low", "not sure", SAID["low"]),
        Line("yes", "matched", SAID["yes"]),
        Line("no", "not reached", ""),
    )


def test_and_up_to_the_one_that_could_not_be_decided(told: Any, route: Any) -> None:
    story = told([route("absent", shadow=True), route("absent"), route("yes")])
    assert [line.outcome for line in story.rules] == ["shadow: absent", "absent", "not reached"]
    assert story.rules[1].why == SAID["absent"]
    assert story.scores == {}


def test_shadows_and_percentages(told: Any, route: Any) -> None:
    story = told([route("yes", shadow=True), route("yes", percent=10.0, by="header:x-user")])
    assert story.rules == (
        Line("yes", "shadow: matched", SAID["yes"]),
        Line("yes", "no match", "not among its 10 % by header:x-user"),
    )


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (guarding(Action.BLOCK, "yes"), "block"),
        (guarding(Action.REDACT, "yes"), "redact"),
        (guarding(Action.FLAG, "no"), "no match"),
        (guarding(Action.BLOCK, "yes", shadow=True), "shadow: block"),
        (guarding(Action.BLOCK, "absent"), "unchecked"),
        (guarding(Action.REDACT, "yes", signal="absent"), "unchecked"),
        (guarding(Action.RESTRICT, "absent"), "restrict, to be safe"),
        (guarding(Action.BLOCK, "absent", strict=False), "absent"),
        (guarding(Action.BLOCK, "absent", shadow=True), "absent"),
        (guarding(Action.FLAG, "absent"), "absent"),
        (guarding(Action.BLOCK, "pending"), "not read"),
    ],
)
def test_safety_rules(told: Any, rule: Safeguard, outcome: str) -> None:
    [line] = told(safeguards=[rule]).safety
    assert line.outcome == outcome
    assert line.why.startswith(SAID[rule.name]) or rule.signal == "absent"


def test_behind_a_block_nothing_was_asked(told: Any, route: Any) -> None:
    story = told([route("yes")], [guarding(Action.BLOCK, "yes"), guarding(Action.FLAG, "yes")])
    assert story.safety[1] == Line("yes", "not reached", "")
    assert story.rules == (Line("yes", "not reached", ""),)
    assert story.scores == {}


def test_models_are_told_with_what_is_held_against_them(told: Any, route: Any) -> None:
    story = told([route("yes")], tier=1, modalities=frozenset({Modality.IMAGE}))
    assert story.barred == {"small": "takes no image", "large": "not cleared for secret"}
    assert story.scores.keys() == {"vault"}


def test_and_with_what_they_were_ranked_by(told: Any, route: Any) -> None:
    scores = told([route("no"), route("yes")]).scores
    assert sorted(scores, key=scores.__getitem__, reverse=True) == ["small", "large", "vault"]


def test_where_none_is_left_no_rule_was_asked(told: Any, route: Any) -> None:
    story = told([route("yes")], tier=2)
    assert story.barred.keys() == {"small", "large", "vault"}
    assert story.rules == (Line("yes", "not reached", ""),)


def test_of_a_named_model_safety_rules_are_told(told: Any, route: Any) -> None:
    story = told([route("yes")], [guarding(Action.FLAG, "yes")], named=True)
    assert (story.rules, story.scores) == ((), {})
    assert [line.outcome for line in story.safety] == ["flag"]


@given(st.data())
def test_telling_reads_nothing_that_deciding_did_not_read(
    logic: Any, model: Any, situation: Any, data: st.DataObject
) -> None:
    pool = [
        model(name, clearance=data.draw(st.integers(0, 3)), quality={"": 0.6}, ttft_ms=1.0, tokens_per_second=1.0)
        for name in "tuvwxyz"
    ]
    rules = data.draw(logic.safeguards())
    models = {candidate.name: candidate for candidate in pool}
    it = Policy(models, frozenset({""}), ("0", "1", "2", "3"), rules, data.draw(logic.routes(pool)), "z")
    world = data.draw(logic.worlds(absent=True))
    deciding, telling = logic.Reads(world), logic.Reads(world)

    guarded = guard(it.safeguards, 0, deciding)
    if not (guarded.stop or guarded.unchecked):
        with suppress(ClientError):
            it.choose(guarded.tier, situation(signal=deciding))
    tell(it, guarded.tier, situation(signal=telling), named=False)
    assert telling.names <= deciding.names
