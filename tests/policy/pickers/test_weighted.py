from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Ranked

    Make = Callable[..., Any]


@pytest.fixture
def pool(model: Make) -> list[Candidate]:
    return [
        model("large", cost_input=10.0, cost_output=10.0, quality={"": 0.9}, ttft_ms=400.0, tokens_per_second=50.0),
        model("medium", cost_input=4.0, cost_output=4.0, quality={"": 0.8}, ttft_ms=100.0, tokens_per_second=100.0),
        model("small", cost_input=0.0, cost_output=0.0, quality={"": 0.3}, ttft_ms=100.0, tokens_per_second=100.0),
    ]


def names(ranked: Ranked) -> list[str]:
    return [candidate.name for candidate in ranked.order]


def test_it_is_a_weighted_mean_of_scores_from_worst_to_best(
    pool: list[Candidate], situation: Make, picker: Make
) -> None:
    weights = {"cost": 1, "quality": 2, "latency": 1}
    ranked = picker(pool, pick="weighted", weights=weights).rank(pool, situation())
    assert ranked.scores == pytest.approx({"large": 0.45, "medium": (0.6 + 1.6 + 1) / 4, "small": (1 + 0.6 + 1) / 4})
    assert names(ranked) == ["medium", "small", "large"]
    assert ranked.acceptable == {"medium"}
    assert ranked.why == "score 0.80 of cost 0.60, quality 0.80, latency 1.00"


@pytest.mark.parametrize(("weight", "first"), [("cost", "small"), ("quality", "large"), ("latency", "medium")])
def test_one_weight_alone_decides(
    pool: list[Candidate], situation: Make, picker: Make, weight: str, first: str
) -> None:
    assert names(picker(pool, pick="weighted", weights={weight: 3}).rank(pool, situation()))[0] == first


def test_whoever_is_within_the_slack_will_do(pool: list[Candidate], situation: Make, picker: Make) -> None:
    ranked = picker(pool, pick="weighted", weights={"quality": 1}, slack=0.15).rank(pool, situation())
    assert ranked.acceptable == {"large", "medium"}


def test_scores_are_relative_to_all_that_the_rule_names(pool: list[Candidate], situation: Make, picker: Make) -> None:
    strategy = picker(pool, pick="weighted", weights={"cost": 1})
    assert strategy.rank(pool[:2], situation()).scores == pytest.approx({"large": 0.0, "medium": 0.6})


def test_where_all_cost_the_same_cost_says_nothing(model: Make, situation: Make, picker: Make) -> None:
    pool = [model("a"), model("b")]
    ranked = picker(pool, pick="weighted", weights={"cost": 1}).rank(pool, situation())
    assert ranked.scores == {"a": 1.0, "b": 1.0}
    assert names(ranked) == ["a", "b"]


@pytest.mark.parametrize(("low", "high"), [(0.0, 5e-324), (1e15, 1e15 + 0.125), (0.0, 1e300)])
def test_prices_that_hardly_differ_or_differ_wildly_are_still_scored(
    model: Make, situation: Make, picker: Make, low: float, high: float
) -> None:
    pool = [model("dear", cost_input=high), model("cheap", cost_input=low)]
    strategy = picker(pool, pick="weighted", weights={"cost": 1})
    assert strategy.rank(pool, situation(tokens=1_000_000)).scores == {"dear": 0.0, "cheap": 1.0}


def test_quality_is_that_of_the_domain(model: Make, situation: Make, picker: Make) -> None:
    pool = [model("a", quality={"": 0.9, "math": 0.1}), model("b", quality={"": 0.5})]
    strategy = picker(pool, pick="weighted", weights={"quality": 1})
    math = Signal("domain", "math", 0.9, labels=frozenset({"math"}))
    assert names(strategy.rank(pool, situation([math]))) == ["b", "a"]
    assert strategy.needs == {"domain"}
    assert picker(pool, pick="weighted", weights={"cost": 1}).needs == frozenset()


@given(st.floats(0.001, 1000))
def test_only_proportions_of_weights_matter(model: Make, situation: Make, picker: Make, factor: float) -> None:
    pool = [
        model("a", cost_input=1.0, quality={"": 0.8}),
        model("b", cost_input=2.0, quality={"": 0.9}),
        model("c", cost_input=3.0, quality={"": 0.3}),
    ]
    plain = picker(pool, pick="weighted", weights={"cost": 1, "quality": 2}).rank(pool, situation())
    scaled = picker(pool, pick="weighted", weights={"cost": factor, "quality": 2 * factor}).rank(pool, situation())
    assert scaled.scores == pytest.approx(plain.scores)
    assert scaled.order == plain.order


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ({}, "at least one weight must be above 0"),
        ({"cost": 0, "quality": 0.0}, "at least one weight must be above 0"),
        ({"cost": -1, "quality": 2}, "weights.cost"),
        ({"price": 1}, "weights.price"),
        ({"quality": 1}, "quality is weighed, and none is stated for 'b'"),
        ({"latency": 1}, "latency is weighed, and no ttft_ms or tokens_per_second is stated for 'a', 'b'"),
    ],
)
def test_what_cannot_be_weighed_is_a_mistake(
    model: Make, picker: Make, weights: dict[str, float], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        picker([model("a", quality={"": 0.5}), model("b")], pick="weighted", weights=weights)
