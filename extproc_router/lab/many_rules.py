"""Configs as long as they get: hundreds of rules over every kind of signal, made up and the same each time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TEAMS, _LISTS, _TASKS = 10, 20, 10


def text(rules: int, models: int, clusters: Sequence[str]) -> str:
    """Write a config without mistakes.

    Args:
        rules: how many, at least 1.
        models: how many, at least 5; they are called `model-0` and so on.
        clusters: those that serve them, in turn; the first is cleared for all.
    """
    return yaml.safe_dump(_document(rules, models, clusters), sort_keys=False, width=100)


def edition(text: str, number: int) -> str:
    """Return the same config as another version of it."""
    return f"metadata: {{edition: '{number}'}}\n{text}"


def _document(rules: int, models: int, clusters: Sequence[str]) -> dict[str, Any]:
    made_up = random.Random(rules)
    return {
        "privacy_tiers": ["public", "restricted"],
        "models": [_model(number, models, clusters) for number in range(models)],
        "signals": [*_signals(made_up)],
        "safety": [{"name": "cards", "when": {"pii": ["CREDIT_CARD"]}, "then": "restrict"}],
        "rules": [
            *(_rule(number, models) for number in range(rules - 1)),
            {"name": "rest", "use": {"pick": "weighted", "weights": {"cost": 1.0, "quality": 1.0, "latency": 1.0}}},
        ],
        "routing": {"default": "model-0"},
    }


def _model(number: int, models: int, clusters: Sequence[str]) -> dict[str, Any]:
    cluster = number % len(clusters)
    return {
        "name": f"model-{number}",
        "cluster": clusters[cluster],
        "cost": {"input": 0.1 + number, "output": 0.2 + number},
        "quality": round(number / models, 3),
        "latency": {"ttft_ms": 100.0 + number, "tokens_per_second": 50.0},
        "context_window": 8192 * (1 + number % 4),
        "privacy": "public" if cluster else "restricted",
    }


def _signals(made_up: random.Random) -> list[dict[str, Any]]:
    def word() -> str:
        return "".join(made_up.choices(_LETTERS, k=made_up.randint(4, 10)))

    tasks = [{"name": f"task-{i}", "description": " ".join(word() for _ in range(12))} for i in range(_TASKS)]
    return [
        *({"kind": "header", "name": f"team-{i}", "header": f"x-team-{i}"} for i in range(_TEAMS)),
        *(
            {"kind": "keyword", "name": f"words-{i}", "keywords": [f"{word()} {word()}" for _ in range(40)]}
            for i in range(_LISTS)
        ),
        *(
            {"kind": "regex", "name": f"shape-{i}", "patterns": [rf"(?i)\b{word()}-[0-9]{{2,6}}\b" for _ in range(5)]}
            for i in range(_LISTS)
        ),
        {"kind": "preference", "name": "task", "routes": tasks},
    ]


def _rule(number: int, models: int) -> dict[str, Any]:
    team = f"team-{number % _TEAMS}"
    when: dict[str, Any] = {team: [f"t{number}", f"u{number}"], "length": {"above": number}}
    more: dict[int, dict[str, Any]] = {
        1: {f"words-{number % _LISTS}": True},
        2: {f"shape-{number % _LISTS}": True},
        3: {"domain": ["math", "law"]},
        4: {"any": [{"task": f"task-{number % _TASKS}"}, {"difficulty": {"above": 0.6}}]},
    }
    several = [f"model-{(number + i) % models}" for i in range(5)]
    uses = (several[0], several, {"pick": "weighted", "weights": {"cost": 1.0, "quality": 2.0}, "among": several})
    return {"name": f"rule-{number}", "when": {**when, **more.get(number % 5, {})}, "use": uses[number % len(uses)]}
