from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.compiling import Compiled

MODELS = """\
models:
  - {name: a, cluster: c, tags: [fast, local], quality: 0.5}
  - {name: b, cluster: c, tags: [fast], quality: {default: 0.7, math: 0.9}, adapters: [{name: b-lora}]}
  - {name: d, cluster: c, tags: [deep], quality: 0.9}
routing: {default: a}
rules:
"""


@pytest.mark.parametrize(
    ("use", "pool", "picker"),
    [
        ("b", ["b"], "Static"),
        ("b-lora", ["b-lora"], "Static"),
        ("[d, a]", ["d", "a"], "Static"),
        ("{pick: static, among: [d, a]}", ["d", "a"], "Static"),
        ("{pick: static}", ["a", "b", "b-lora", "d"], "Static"),
        ("{pick: static, among: {tags: [fast]}}", ["a", "b", "b-lora"], "Static"),
        ("{pick: static, among: {tags: [fast, local]}}", ["a"], "Static"),
        ("{pick: threshold, strong: d, weak: a, at: 0.5}", ["d", "a"], "Threshold"),
        ("{pick: threshold, strong: d, weak: a, at: 0.5, among: [a, b, d]}", ["a", "b", "d"], "Threshold"),
        ("{pick: split, shares: {b: 10, a: 90}}", ["b", "a"], "Split"),
        ("{pick: hash, by: conversation, weights: {d: 2}}", ["a", "b", "b-lora", "d"], "Hash"),
        ("{pick: cheapest_above, quality: 0.6}", ["a", "b", "b-lora", "d"], "CheapestAbove"),
        ("{pick: weighted, weights: {cost: 1}, among: [a, d]}", ["a", "d"], "Weighted"),
        ("{pick: least_loaded}", ["a", "b", "b-lora", "d"], "LeastLoaded"),
    ],
)
def test_what_a_rule_uses(compiled: Callable[[str], Compiled], use: str, pool: list[str], picker: str) -> None:
    [route] = compiled(f"{MODELS}  - {{name: r, use: {use}}}\n").policy.routes
    assert [candidate.name for candidate in route.pool] == pool
    assert type(route.picker).__name__ == picker


@pytest.mark.parametrize(
    ("use", "counts"),
    [("a", False), ("{pick: static}", False), ("{pick: cheapest_above, quality: 0.5}", True)],
)
def test_prompts_are_counted_where_a_strategy_weighs_costs(
    compiled: Callable[[str], Compiled], use: str, *, counts: bool
) -> None:
    assert compiled(f"{MODELS}  - {{name: r, use: {use}}}\n").counts_tokens is counts


def test_a_mistake_of_a_strategy_stands_at_its_member(review: Callable[..., tuple[list[str], list[str]]]) -> None:
    members = ["pick: threshold", "at: 0.5", "weak: a", "strong: d", "among: [a, b]"]
    text = f"{MODELS}  - name: r\n    use:\n" + "".join(f"      {member}\n" for member in members)
    assert review(text)[0] == ["12: rules.0.use.strong: 'd' not among the models to choose from"]
