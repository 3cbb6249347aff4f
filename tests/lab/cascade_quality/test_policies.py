from __future__ import annotations

import pytest

from extproc_router.config import loader
from extproc_router.lab.cascade_quality import policies
from extproc_router.lab.cascade_quality.policies import STRONG, WEAK, Policy
from extproc_router.verifier.head import INDICATORS, MEANS

PRICES = {WEAK: 0.1, STRONG: 0.9}
WEIGHTS = {"intercept": 1.0, **dict.fromkeys((*MEANS, *INDICATORS), 0.5)}


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        (Policy(), []),
        (Policy(default=STRONG), []),
        (Policy(direct_from=0.4), ["hard"]),
        (Policy(accept_at=0.25, weights=WEIGHTS), ["try"]),
        (Policy(direct_from=0.4, accept_at=0.25, weights=WEIGHTS, reads_difficulty=True), ["hard", "try"]),
    ],
)
def test_every_policy_is_a_config_without_mistakes(policy: Policy, rules: list[str]) -> None:
    config = loader.load(policies.written(policy, PRICES), "router.yaml")

    assert [rule.name for rule in config.written.rules] == rules
    assert config.routing.default == policy.default
    assert [(model.name, model.cost_input, model.cost_output) for model in config.candidates] == [
        (WEAK, 0.1, 0.1),
        (STRONG, 0.9, 0.9),
    ]
    for rule in config.written.rules:
        assert (rule.cascade.accept_at if rule.cascade else None) == (0.25 if rule.name == "try" else None)
    if policy.weights:
        assert config.written.verifier.weights.model_dump() == WEIGHTS
