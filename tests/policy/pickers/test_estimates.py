from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.policy.base import Scope
from extproc_router.policy.pickers import estimates
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Situation

    Model = Callable[..., Candidate]
    Make = Callable[..., Situation]

EXIST = frozenset({"domain"})


@pytest.mark.parametrize(("bound", "expected"), [(None, 300), (5, 5), (300, 300), (64_000, 300)])
def test_a_completion_is_as_long_as_is_typical_unless_it_must_be_shorter(
    situation: Make, bound: int | None, expected: int
) -> None:
    assert estimates.completion_tokens(situation(max_tokens=bound)) == expected


def test_prices_are_per_million_tokens(model: Model, situation: Make) -> None:
    pool = [model("a", cost_input=2.0, cost_output=10.0), model("b", cost_output=10.0)]
    assert estimates.costs(pool, situation(tokens=1000)) == pytest.approx([0.005, 0.003])
    assert estimates.costs(pool, situation(tokens=1000, max_tokens=100)) == pytest.approx([0.003, 0.001])


def test_latency_is_the_first_token_and_then_the_others(model: Model, situation: Make) -> None:
    pool = [model("a", ttft_ms=200.0, tokens_per_second=100.0), model("b", ttft_ms=0.0, tokens_per_second=10.0)]
    assert estimates.latencies_ms(pool, situation()) == pytest.approx([3200.0, 30_000.0])


def test_each_model_without_a_latency_is_told(model: Model) -> None:
    pool = (
        model("whole", ttft_ms=1.0, tokens_per_second=1.0),
        model("half", ttft_ms=1.0),
        model("other", tokens_per_second=1.0),
    )
    estimates.require_latencies(Scope(pool[:1], EXIST))
    with pytest.raises(ValueError, match=r"'half', 'other'$"):
        estimates.require_latencies(Scope(pool, EXIST))


def test_a_domain_has_its_quality_and_what_is_not_stated_the_one_for_all_others(model: Model) -> None:
    quality = estimates.qualities(Scope((model("a", quality={"": 0.5, "math": 0.9, "law": 0.0}),), EXIST))
    assert [quality.within(domain)["a"] for domain in ("math", "law", "")] == [0.9, 0.0, 0.5]


def test_where_nothing_is_stated_for_all_others_it_is_the_worst_that_is(model: Model) -> None:
    quality = estimates.qualities(Scope((model("a", quality={"math": 0.9, "law": 0.7}),), EXIST))
    assert [quality.within(domain)["a"] for domain in ("math", "")] == [0.9, 0.7]


def test_each_model_without_a_quality_is_told(model: Model) -> None:
    pool = (model("a", quality={"": 0.0}), model("b"), model("c"))
    with pytest.raises(ValueError, match=r"'b', 'c'$"):
        estimates.qualities(Scope(pool, EXIST))


def test_the_domain_is_needed_only_where_a_quality_depends_on_it(model: Model, situation: Make) -> None:
    plain = estimates.qualities(Scope((model("a", quality={"": 0.5}),), frozenset()))
    assert plain.needs == frozenset()
    assert plain.domain(situation()) == ""
    by_domain = (model("a", quality={"": 0.5}), model("b", quality={"math": 0.5}))
    assert estimates.qualities(Scope(by_domain, EXIST)).needs == {"domain"}
    with pytest.raises(ValueError, match="unknown signal 'domain'"):
        estimates.qualities(Scope(by_domain, frozenset()))


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (Signal("domain", "math", 0.9, labels=frozenset({"math"})), "math"),
        (Signal("domain", "math", 0.2), ""),  # not sure
        (Signal("domain", "", 0.9, labels=frozenset({"written by a client"})), ""),
        (Signal("domain", "", 0.9, labels=frozenset({"another", "math"})), "math"),
        (Signal("domain", "math", 0.9, labels=frozenset({"math"}), absent="overload"), None),
    ],
)
def test_only_a_sure_domain_that_is_stated_is_one(
    model: Model, situation: Make, signal: Signal, expected: str | None
) -> None:
    quality = estimates.qualities(Scope((model("a", quality={"math": 0.9}),), EXIST))
    assert quality.domain(situation([signal])) == expected
