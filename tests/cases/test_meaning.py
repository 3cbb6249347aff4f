from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.cases import meaning

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router


@pytest.mark.parametrize(
    "case",
    [
        "expect: {model: large, rule: maths, tier: restricted, chain: [large, small]}",
        "expect: {safety: [cards=redact, attacks], shadow: [shady, shady=free], rule: ''}",
        "signals: {domain: math, difficulty: 0.3, tenant: whatever, plan: [gold]}, expect: {model: large}",
        "signals: {jailbreak: {label: true, number: 0.4}, domain: {absent: x}}, expect: {model: large}",
    ],
)
def test_names_that_the_config_has_are_no_mistake(table: Callable[..., Any], router: Router, case: str) -> None:
    assert list(meaning.mistakes(table(f"name: a, prompt: x, {case}"), router.terms)) == []


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("expect: {model: larg}", "expect.model: the config has no model 'larg' (did you mean 'large'?)"),
        ("expect: {rule: math}", "expect.rule: the config has no rule 'math' (did you mean 'maths'?)"),
        ("expect: {tier: secret}", "expect.tier: the config has no privacy tier 'secret'"),
        ("expect: {chain: [large, tiny]}", "expect.chain.1: the config has no model 'tiny'"),
        ("expect: {safety: [card=redact]}", "expect.safety.0: the config has no rule 'card' (did you mean 'cards'?)"),
        ("expect: {shadow: [maths]}", "expect.shadow.0: the config has no rule 'maths'"),
        (
            "signals: {domian: math}, expect: {rule: ''}",
            "signals.domian: the config has no signal 'domian' (did you mean",
        ),
        (
            "signals: {domain: maths}, expect: {rule: ''}",
            "'domain' has no label 'maths' (did you mean 'math'?): math, other",
        ),
        ("signals: {domain: 0.5}, expect: {rule: ''}", "'domain' is no number: give a label"),
        ("signals: {difficulty: hard}, expect: {rule: ''}", "'difficulty' has no label 'hard': it is a number"),
        ("signals: {difficulty: []}, expect: {rule: ''}", "'difficulty' is a number: give one"),
        ("signals: {jailbreak: 0.7}, expect: {rule: ''}", "'jailbreak' is a flag: give true or false, or"),
        ("signals: {plan: free}, expect: {rule: ''}", "'plan' has no label 'free': basic, gold"),
        ("after: [{prompt: y, signals: {domian: math}}], expect: {rule: ''}", "after.0.signals.domian: "),
    ],
)
def test_names_that_it_does_not_have_are(table: Callable[..., Any], router: Router, case: str, said: str) -> None:
    [mistake] = meaning.mistakes(table(f"name: a, prompt: x, {case}"), router.terms)
    assert said in f"{mistake.field}: {mistake.message}".removeprefix("cases.0.")
    assert mistake.line == 2
