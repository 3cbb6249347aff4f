from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from extproc_router import wiring
from extproc_router.explaining import explanation
from extproc_router.explaining.explanation import State
from extproc_router.explaining.telling import NOTHING
from extproc_router.policy.rules import Fallback
from extproc_router.types import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router
    from extproc_router.types import Decision, HttpRequest


def decided(router: Router, encoder: Any, http: HttpRequest) -> Decision:
    return wiring.decide(router, encoder, http)[0].decision


def test_every_signal_is_told_once_those_read_first(
    router: Router, scripted_encoder: Any, post: Callable[..., HttpRequest]
) -> None:
    decision = decided(router, scripted_encoder, post("hello"))
    lines = list(explanation.signal_lines(router.terms, decision, {"domain": 1.5}))
    assert {line.name for line in lines} == set(router.terms.readers)
    assert len(lines) == len(router.terms.readers)
    order = [list(State).index(line.state) for line in lines]
    assert order == sorted(order)
    assert {line.name: line.ms for line in lines}["domain"] == 1.5
    assert {line.name for line in lines if line.encoder} >= {"domain", "jailbreak", "reasoning"}


def test_a_model_that_the_config_does_not_have_any_more_is_told(
    router: Router, scripted_encoder: Any, post: Callable[..., HttpRequest]
) -> None:
    decision = replace(decided(router, scripted_encoder, post("hello")), chain=("gone",), rule="gone", model="gone")
    lines = list(explanation.model_lines(router.terms, decision, NOTHING))
    assert (lines[0].name, lines[0].cluster, lines[0].note) == ("gone", "", "chosen")
    assert {line.note for line in lines[1:]} == {""}


def test_one_of_the_pool_that_is_missing_without_a_reason_is_said(
    router: Router, scripted_encoder: Any, post: Callable[..., HttpRequest]
) -> None:
    decision = replace(decided(router, scripted_encoder, post("hard math")), chain=("large",))
    lines = {line.name: line.note for line in explanation.model_lines(router.terms, decision, NOTHING)}
    assert lines["small"] == "left out; why is not in the log"
    assert lines["free"] == "not among those that the rule names"


def test_who_takes_over_is_said(router: Router, scripted_encoder: Any, post: Callable[..., HttpRequest]) -> None:
    decision = decided(router, scripted_encoder, post("hard math"))
    plain = {line.name: line.note for line in explanation.model_lines(router.terms, decision, NOTHING)}
    assert (plain["large"], plain["small"]) == ("chosen", "fallback")
    judged = replace(decision, cascade="small")
    lines = {line.name: line.note for line in explanation.model_lines(router.terms, judged, NOTHING)}
    assert (lines["large"], lines["small"]) == ("chosen", "takes over where the first answer is doubted")


def test_whoever_would_be_one_attempt_too_many_is_said(
    router: Router, scripted_encoder: Any, post: Callable[..., HttpRequest]
) -> None:
    policy = router.terms.policy
    terms = replace(router.terms, policy=replace(policy, fallback=Fallback(("free",), 1)))
    decision = replace(decided(router, scripted_encoder, post("hard math")), chain=("large",))
    lines = {line.name: line.note for line in explanation.model_lines(terms, decision, NOTHING)}
    assert lines["small"] == lines["free"] == "not tried: `fallback.attempts` is 1"
    named = replace(decision, reason=Reason.NAMED, rule="")
    assert {line.note for line in explanation.model_lines(terms, named, NOTHING)} == {"chosen", ""}


def test_what_a_conversation_had_is_said(
    router: Router, scripted_encoder: Any, post: Callable[..., HttpRequest]
) -> None:
    decision = decided(router, scripted_encoder, post("hello"))
    alone = replace(router.terms, sticky_by=None)
    assert "stands for itself" in explanation.conversation(alone, decision, unknown="new")
    assert explanation.conversation(router.terms, decision, unknown="new") == "new"
    yielded = replace(decision, sticky="yielded")
    assert explanation.conversation(router.terms, yielded, unknown="new").startswith("yielded the model")
