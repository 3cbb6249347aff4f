from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.config.verifier_schema import Weights
from extproc_router.verifier.head import INDICATORS, MEANS, Head, terms_of


def test_every_weight_belongs_to_something() -> None:
    assert {"intercept", *MEANS, *INDICATORS} == set(Weights.model_fields)
    assert set(INDICATORS.values()) <= set(MEANS)


def test_average_in_everything_is_the_intercept() -> None:
    assert Head(Weights(intercept=0.4)).good(MEANS) == pytest.approx(1 / (1 + math.exp(-0.4)))


def test_what_is_not_known_counts_as_its_mean_and_by_its_indicator() -> None:
    known = {name: mean for name, mean in MEANS.items() if name != "difficulty"}
    assert Head(Weights(no_difficulty=0.0)).good(known) == pytest.approx(Head(Weights()).good(MEANS))
    assert Head(Weights(no_difficulty=-1.0)).good(known) < Head(Weights()).good(MEANS)


def test_the_surer_the_better_and_the_harder_the_worse() -> None:
    head = Head(Weights())
    assert head.good({**MEANS, "mean_logprob": -0.1}) > head.good(MEANS) > head.good({**MEANS, "mean_logprob": -1.0})
    assert head.good({**MEANS, "difficulty": 0.9}) < head.good(MEANS)
    assert head.good({**MEANS, "hedges": 3.0}) < head.good(MEANS)


@given(st.dictionaries(st.sampled_from(sorted(MEANS)), st.floats(-1e6, 1e6)))
def test_it_is_a_probability_and_the_sum_of_its_terms(features: dict[str, float]) -> None:
    weights = Weights(length=0.3, no_logprobs=-0.5)
    good = Head(weights).good(features)
    assert 0.0 <= good <= 1.0
    logit = weights.intercept + sum(getattr(weights, name) * value for name, value in terms_of(features).items())
    if abs(logit) < 30:
        assert good == pytest.approx(1 / (1 + math.exp(-logit)))
