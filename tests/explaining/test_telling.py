from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.explaining import telling
from extproc_router.explaining.explanation import Explanation, State
from extproc_router.types import HttpRequest, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router

    Post = Callable[..., HttpRequest]
    Tell = Callable[[HttpRequest], Explanation]


@pytest.fixture
def explain(router: Router, scripted_encoder: Any) -> Tell:
    return lambda http: telling.explain(router, scripted_encoder, http)


def outcomes(told: Explanation) -> dict[str, str]:
    return {line.rule: line.outcome for line in told.rules}


def test_each_rule_says_what_it_came_to(explain: Tell, post: Post) -> None:
    told = explain(post("some hard math"))
    assert outcomes(told) == {
        "acme": "no match",
        "soak": "no match",
        "maths": "matched",
        "shady": "not reached",
        "gold": "not reached",
    }
    assert {line.rule: line.outcome for line in told.safety} == {
        "attacks": "no match",
        "manners": "no match",
        "cards": "no match",
        "private": "no match",
    }
    assert (told.decision.model, told.conversation) == ("large", "it has no model yet")


def test_signals_that_were_not_needed_are_told_apart_from_those_nothing_asks_for(explain: Tell, post: Post) -> None:
    told = explain(post("damn math"))
    states = {line.name: line.state for line in told.signals}
    assert told.decision.status == 200
    assert (states["rude"], states["tenant"], states["language"]) == (State.READ, State.NOT_NEEDED, State.UNUSED)
    read = [line for line in told.signals if line.evidence]
    assert [line.name for line in read] == [evidence.name for evidence in told.decision.signals]
    assert all(line.ms is not None for line in read)
    # A cheap rule settles it before a costly one is read.
    assert (told.safety[0].outcome, told.encoder) == ("not read", ())


def test_what_a_safety_rule_stops_reaches_no_rule_and_looks_at_no_model(explain: Tell, post: Post) -> None:
    told = explain(post("an attack"))
    assert told.safety[0].outcome == "block"
    assert set(outcomes(told).values()) == {"not reached"}
    assert told.models == ()
    assert isinstance(told.action, Reply)


def test_models_are_the_chain_and_then_those_left_out_and_why(explain: Tell, post: Post) -> None:
    image = [{"type": "text", "text": "math"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    told = explain(post("", messages=[{"role": "user", "content": image}]))
    assert [(line.name, line.place, line.note) for line in told.models] == [
        ("small", 1, "chosen"),
        ("large", 0, "takes no image"),
        ("free", 0, "not among those that the rule names"),
    ]


def test_a_named_model_asks_no_rule(explain: Tell, post: Post) -> None:
    told = explain(post("math", model="free"))
    assert (told.rules, [line.place for line in told.models]) == ((), [1, 0, 0])
    assert any("named a model" in note for note in told.notes)


def test_a_tier_that_a_header_asks_for_keeps_models_out(explain: Tell, post: Post) -> None:
    audio = [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]
    tier = {"x-privacy-tier": "secret"}
    told = explain(post("", tier, messages=[{"role": "user", "content": audio}]))
    assert told.decision.model == "small"
    assert {line.name: line.note for line in told.models}["large"] == "not cleared for restricted"


def test_a_request_that_is_not_routed_has_no_story(explain: Tell) -> None:
    told = explain(HttpRequest("POST", "/elsewhere", {}, b"x"))
    assert (told.rules, told.safety, told.models, told.before) == ((), (), (), None)


def test_a_failing_encoder_is_told(explain: Tell, post: Post) -> None:
    told = explain(post("broken"))
    assert told.decision.status == 503
    assert told.safety[0].outcome == "unchecked"
    assert told.encoder[0].encoding is None


def test_times_come_from_the_clock(router: Router, scripted_encoder: Any, post: Post) -> None:
    ticks = iter(range(10_000))
    told = telling.explain(router, scripted_encoder, post("math"), clock=lambda: next(ticks) / 1000)
    assert told.total_ms == pytest.approx(max(1.0, told.total_ms or 0))
    assert all(entry.ms == pytest.approx(1) for entry in told.encoder)
