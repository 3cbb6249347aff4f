"""The router's configs that are compared: two models, one rule or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from msgspec import Struct

WEAK, STRONG = "weak", "strong"
"""Models, and clusters."""


class Policy(Struct, frozen=True):
    """One way to operate.

    Attributes:
        default: the model that answers what no rule takes.
        direct_from: difficulty in [0, 1] from which a prompt goes straight to the strong model; None: by difficulty
            alone none does.
        accept_at: probability from which the weak model's answer is served, in a cascade; None where there is none.
        weights: the verifier's.
        reads_difficulty: whether every prompt's difficulty is read, so that the verifier knows it.
    """

    default: str = WEAK
    direct_from: float | None = None
    accept_at: float | None = None
    weights: Mapping[str, float] | None = None
    reads_difficulty: bool = False


def written(policy: Policy, prices: Mapping[str, float]) -> str:
    """Write a policy as a config file.

    Args:
        policy: what it says.
        prices: model -> USD per million tokens, of prompts and of answers.
    """
    document: dict[str, Any] = {
        "models": [
            {"name": name, "cluster": name, "cost": {"input": prices[name], "output": prices[name]}}
            for name in (WEAK, STRONG)
        ],
        "rules": [*_rules(policy)],
        "routing": {"default": policy.default, "sticky_by": "none"},
        # Nothing is measured in seconds: no prompt shall be shed because the machine is busy.
        "limits": {"encoder_deadline_ms": 20_000},
    }
    if policy.weights is not None:
        document["verifier"] = {"weights": dict(policy.weights)}
    return yaml.safe_dump(document, sort_keys=False)


def _rules(policy: Policy) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    if policy.direct_from is not None:
        rules.append({"name": "hard", "when": {"difficulty": {"at_least": policy.direct_from}}, "use": STRONG})
    if policy.accept_at is not None:
        # True of every prompt with a text.
        when = {"when": {"difficulty": {"at_least": 0.0}}} if policy.reads_difficulty else {}
        rules.append({"name": "try", **when, "use": [WEAK, STRONG], "cascade": {"accept_at": policy.accept_at}})
    return rules
