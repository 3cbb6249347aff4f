from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Ranked

    Make = Callable[..., Any]

MATH = Signal("domain", "math", 0.9, labels=frozenset({"math"}))
UNSURE = Signal("domain", "math", 0.2)


@pytest.fixture
def pool(model: Make) -> list[Candidate]:
    return [
        model("large", cost_input=5.0, cost_output=15.0, quality={"": 0.9}),
        model("small", cost_input=0.1, cost_output=0.4, quality={"": 0.5, "math": 0.2}),
        model("coder", cost_input=0.5, cost_output=1.5, quality={"": 0.6, "math": 0.75}),
        model("tiny", cost_input=0.0, cost_output=0.0, quality={"": 0.3}),
    ]


def names(ranked: Ranked) -> list[str]:
    return [candidate.name for candidate in ranked.order]


def test_the_cheapest_that_is_good_enough_and_after_it_the_dearer_and_the_worse(
    pool: list[Candidate], situation: Make, picker: Make
) -> None:
    ranked = picker(pool, pick="cheapest_above", quality=0.5).rank(pool, situation([UNSURE]))
    assert names(ranked) == ["small", "coder", "large", "tiny"]
    assert ranked.acceptable == {"small", "coder", "large"}
    assert ranked.why == "quality 0.50 >= 0.50, the cheapest of 3"


def test_quality_is_that_of_the_domain(pool: list[Candidate], situation: Make, picker: Make) -> None:
    ranked = picker(pool, pick="cheapest_above", quality=0.5).rank(pool, situation([MATH]))
    assert names(ranked) == ["coder", "large", "tiny", "small"]
    assert ranked.why == "quality 0.75 in math >= 0.50, the cheapest of 2"


def test_where_none_is_good_enough_the_best_alone_will_do(pool: list[Candidate], situation: Make, picker: Make) -> None:
    ranked = picker(pool, pick="cheapest_above", quality=0.95).rank(pool, situation([UNSURE]))
    assert names(ranked) == ["large", "coder", "small", "tiny"]
    assert ranked.acceptable == {"large"}
    assert ranked.why == "none reaches 0.95: the best, quality 0.90"


def test_long_prompts_and_long_answers_have_different_prices(model: Make, situation: Make, picker: Make) -> None:
    reader = model("reader", cost_input=1.0, cost_output=100.0, quality={"": 1.0})
    writer = model("writer", cost_input=10.0, cost_output=1.0, quality={"": 1.0})
    cheapest = picker([reader, writer], pick="cheapest_above", quality=0.5)
    assert names(cheapest.rank([reader, writer], situation(tokens=10_000)))[0] == "reader"
    assert names(cheapest.rank([reader, writer], situation(tokens=10)))[0] == "writer"
    assert names(cheapest.rank([reader, writer], situation(tokens=100, max_tokens=1)))[0] == "reader"


def test_equal_prices_keep_the_order_given(model: Make, situation: Make, picker: Make) -> None:
    pool = [model(name, quality={"": 0.7}) for name in ("b", "a", "c")]
    assert names(picker(pool, pick="cheapest_above", quality=0.5).rank(pool, situation())) == ["b", "a", "c"]


def test_a_model_without_quality_is_a_mistake(model: Make, picker: Make) -> None:
    with pytest.raises(ValueError, match="'silent'"):
        picker([model("silent")], pick="cheapest_above", quality=0.5)


@pytest.mark.parametrize("bar", [-0.1, 1.1, "high", None])
def test_the_bar_is_on_the_scale_of_qualities(model: Make, picker: Make, bar: object) -> None:
    with pytest.raises(ValueError, match="quality"):
        picker([model("a", quality={"": 1.0})], pick="cheapest_above", quality=bar)
