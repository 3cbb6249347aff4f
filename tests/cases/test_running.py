from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.cases import running

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router


@pytest.mark.parametrize(
    "case",
    [
        "prompt: some hard math, expect: {model: large, rule: maths, chain: [large, small], body: {model: large}}",
        "prompt: hi, signals: {domain: math, difficulty: 0.2}, expect: {model: small, rule: maths}",
        "prompt: hi, signals: {domain: {label: math, confidence: 0.2}}, expect: {reason: low_confidence}",
        "prompt: hi, headers: {X-Tenant: acme}, expect: {rule: acme, model: free}",
        "prompt: hi, signals: {jailbreak: true}, expect: {action: block, status: 403}",
        "prompt: hi, signals: {jailbreak: {absent: timeout}}, expect: {action: unchecked, status: 503}",
        "prompt: damn, stream: true, expect: {action: refuse, status: 200, safety: [manners]}",
        "prompt: a 4111 1111 1111 1111, expect: {tier: restricted, body: {messages: [{content: a <CREDIT_CARD_1>}]}}",
        "prompt: hi, model: gpt-9, expect: {action: error, status: 404}",
        "body: nope, expect: {action: error, status: 400}",
        "prompt: hi, path: /elsewhere, expect: {action: pass, rule: ''}",
        "prompt: math, after: [hard math], expect: {sticky: held, model: large}",
        "prompt: math, after: [{prompt: hi, signals: {domain: math, difficulty: 0.9}}], expect: {sticky: held}",
    ],
)
def test_each_case_is_decided(table: Callable[..., Any], router: Router, scripted_encoder: Any, case: str) -> None:
    [result] = running.run(table(f"name: a, {case}"), router, scripted_encoder)
    assert result.differences == ()


def test_a_failure_says_what_differs_and_why(table: Callable[..., Any], router: Router, scripted_encoder: Any) -> None:
    loaded = table("name: a, prompt: hi, expect: {model: large}", "name: b, prompt: hi, expect: {model: small}")
    failed, passed = running.run(loaded, router, scripted_encoder, clock=iter(range(9)).__next__)
    assert (failed.name, failed.line, [str(found) for found in failed.differences]) == (
        "a",
        2,
        ["model: expected large, got small"],
    )
    assert "default small" in failed.why
    assert (passed.differences, passed.seconds) == ((), 1)


def test_conversations_of_different_cases_are_apart(
    table: Callable[..., Any], router: Router, scripted_encoder: Any
) -> None:
    case = "prompt: math, after: [hard math], expect: {sticky: held}"
    results = running.run(
        table(f"name: a, {case}", f"name: b, {case}", "name: c, prompt: math, expect: {sticky: none}"),
        router,
        scripted_encoder,
    )
    assert [result.differences for result in results] == [(), (), ()]
