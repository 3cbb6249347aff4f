from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router import surface
from extproc_router.learning.base import Features, Floats, Outcomes
from extproc_router.learning.strategies.similarity import Similarity, win_rates


def at(*degrees: float) -> Features:
    angles = np.radians(degrees)
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Features(embeddings, np.ones((len(degrees), 1)), np.zeros((len(degrees), surface.SIZE)))


def test_two_models_get_the_weighted_share_of_battles_ties_half() -> None:
    # A win for b at the prompt itself, a tie at 60 degrees: weights 1 and exp(-0.5 sharpness).
    outcomes = Outcomes(("a", "b"), np.array([[0.0, 1.0], [1.0, 1.0]]), np.arange(2, dtype=np.intp))
    fitted = Similarity(sharpness=2.0, prior=1e-9).fit(outcomes, at(0, 60), 0)
    tie = np.exp(-1.0)
    expected = (1 + tie / 2) / (1 + tie)
    np.testing.assert_allclose(fitted.quality(at(0)), [[1 - expected, expected]], atol=1e-6)


def test_far_from_everything_the_overall_win_rate_holds() -> None:
    outcomes = Outcomes(("a", "b"), np.array([[0.0, 1.0]] * 3 + [[1.0, 0.0]]), np.arange(4, dtype=np.intp))
    fitted = Similarity(sharpness=50.0).fit(outcomes, at(0, 1, 2, 3), 0)
    means = outcomes.means()
    assert fitted.quality(at(180))[0, 1] == pytest.approx((1 + means[1] - means[0]) / 2, abs=1e-9)


def test_graded_answers_win_by_their_margin() -> None:
    outcomes = Outcomes(("a", "b"), np.array([[0.5, 0.75]]), np.zeros(1, dtype=np.intp))
    fitted = Similarity(prior=1e-9).fit(outcomes, at(0), 0)
    assert fitted.quality(at(0))[0, 1] == pytest.approx((1 + 0.25) / 2, abs=1e-6)


def likelihood_slope(won: Floats, ratings: list[float]) -> list[float]:
    """Gradient of Bradley-Terry's log-likelihood, written out."""
    count = len(ratings)
    slope = [0.0] * count
    for i in range(count):
        for j in range(count):
            if i != j:
                expected = 1 / (1 + np.exp(ratings[j] - ratings[i]))
                slope[i] += won[i, j] - (won[i, j] + won[j, i]) * expected
    return slope


@given(
    st.integers(3, 6).flatmap(
        lambda count: st.lists(st.floats(0.05, 20.0), min_size=count * count, max_size=count * count)
    )
)
def test_many_models_reach_the_maximum_of_the_likelihood(values: list[float]) -> None:
    count = int(len(values) ** 0.5)
    won = np.array(values).reshape(count, count)
    np.fill_diagonal(won, 0.0)
    rates = win_rates(won[None])[0]
    assert ((rates > 0) & (rates < 1)).all()
    # Mean win rates sum to half the models, and at the maximum everyone's expected wins are his wins.
    assert rates.sum() == pytest.approx(count / 2)
    ratings = _ratings_with(rates)
    np.testing.assert_allclose(likelihood_slope(won, ratings), 0.0, atol=1e-4 * won.sum())


def _ratings_with(rates: Floats) -> list[float]:
    """The ratings that give these mean win rates, by fixed-point steps: an independent way back."""
    ratings = np.zeros(len(rates))
    for _ in range(20_000):
        beats = 1 / (1 + np.exp(ratings[None, :] - ratings[:, None]))
        reached = (beats.sum(axis=1) - 0.5) / (len(rates) - 1)
        ratings += np.log(rates / (1 - rates)) - np.log(reached / (1 - reached))
        ratings -= ratings.mean()
        if np.abs(reached - rates).max() < 1e-12:
            break
    return [float(rating) for rating in ratings]


def test_two_models_by_the_closed_form_and_by_newton_agree() -> None:
    # A third model whose battles are all ties says nothing of the other two.
    won = np.array([[[0.0, 3.0, 5.0], [1.0, 0.0, 5.0], [5.0, 5.0, 0.0]]])
    pair = win_rates(np.array([[[0.0, 3.0], [1.0, 0.0]]]))[0]
    rates = win_rates(won)[0]
    assert pair.tolist() == [0.75, 0.25]
    assert rates[0] > rates[2] > rates[1]
    assert rates[2] == pytest.approx(0.5)
