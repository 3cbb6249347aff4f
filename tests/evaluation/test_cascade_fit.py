from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from extproc_router.config.verifier_schema import Weights
from extproc_router.errors import StartupError
from extproc_router.evaluation import cascade_fit, cascade_simulation
from extproc_router.evaluation.cascade_rows import COLUMNS, Judged, matrix
from extproc_router.verifier.head import MEANS, Head

_ROWS = 100_000
_GOOD = 0.7


def judged(n: int, seed: int = 0) -> Judged:
    generator = np.random.default_rng(seed)
    weak = (generator.random(n) < _GOOD).astype(np.float64)
    logprobs = cascade_simulation.mean_logprobs(weak, 1.0, generator)
    terms = matrix([{**MEANS, "mean_logprob": float(logprob)} for logprob in logprobs])
    nothing = np.zeros(n, dtype=np.bool_)
    return Judged(terms, nothing, weak, np.ones(n), None, np.arange(n))


def test_the_shipped_weights_are_fitted_to_the_assumption() -> None:
    fitted = cascade_fit.weights(judged(_ROWS))
    assert fitted["mean_logprob"] == pytest.approx(Weights().mean_logprob, rel=0.02)
    assert fitted["intercept"] == pytest.approx(Weights().intercept, abs=0.05)


def test_what_does_not_vary_weighs_nothing() -> None:
    fitted = cascade_fit.weights(judged(500))
    assert {name for name, value in fitted.items() if value} == {"intercept", "mean_logprob"}
    assert set(fitted) == set(Weights.model_fields)


def test_the_fit_is_what_the_head_computes() -> None:
    some = judged(500)
    weights = cascade_fit.weights(some)
    features = {**MEANS, "mean_logprob": -0.33}
    expected = cascade_fit.apply(
        np.array([weights["intercept"], *(weights[name] for name in COLUMNS)]), matrix([features])
    )
    assert Head(Weights.model_validate(weights)).good(features) == pytest.approx(float(expected[0]))


def test_a_hard_sign_is_no_chance_at_all() -> None:
    some = judged(500)
    hard = np.arange(500) % 5 == 0
    good = cascade_fit.out_of_fold(replace(some, hard=hard), seed=0)
    assert (good[hard] == 0).all()
    assert (good[~hard] > 0).all()


def test_nobody_is_judged_by_what_was_learnt_from_him() -> None:
    generator = np.random.default_rng(0)
    weak = (generator.random(400) < 0.5).astype(np.float64)
    noise = [{"mean_logprob": float(value)} for value in generator.normal(size=400)]
    nothing = np.zeros(400, dtype=np.bool_)
    blind = Judged(matrix(noise), nothing, weak, weak, None, np.arange(400))
    assert cascade_fit.auc(cascade_fit.out_of_fold(blind, seed=0), weak) < 0.58


def test_too_little_to_learn_from_is_refused() -> None:
    with pytest.raises(StartupError, match="too few"):
        cascade_fit.weights(judged(40))
    some = judged(100)
    with pytest.raises(StartupError, match="too few"):
        cascade_fit.out_of_fold(replace(some, hard=np.ones(100, dtype=np.bool_)), seed=0)
    with pytest.raises(StartupError, match="equally good"):
        cascade_fit.weights(replace(some, weak=np.ones(100)))


def test_auc_is_the_chance_that_good_beats_bad() -> None:
    score, good = np.array([0.1, 0.4, 0.4, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])
    assert cascade_fit.auc(score, good) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert np.isnan(cascade_fit.auc(score, np.ones(4)))


def test_what_is_the_same_of_all_answers_weighs_nothing() -> None:
    some = judged(400)
    length = COLUMNS.index("length")
    terms = some.terms.copy()
    terms[:, length] = np.log1p(0.1 + 0.2)  # no binary fraction: its spread is not quite 0
    fitted = cascade_fit.fit(terms, some.weak)
    assert fitted[1 + length] == 0
    assert np.abs(fitted).max() < 100
