from __future__ import annotations

import numpy as np

from extproc_router import surface
from extproc_router.learning.base import Features, Floats, Outcomes
from extproc_router.learning.strategies.linear import Linear


def features_of(rows: int, seed: int) -> Features:
    random = np.random.default_rng(seed)
    embeddings = random.normal(size=(rows, 6))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return Features(embeddings.astype(np.float32), np.ones((rows, 1)), random.normal(size=(rows, surface.SIZE)))


def outcomes_of(probabilities: Floats, seed: int) -> Outcomes:
    drawn = np.random.default_rng(seed).random(probabilities.shape) < probabilities
    names = tuple(map(str, range(probabilities.shape[1])))
    return Outcomes(names, drawn.astype(np.float64), np.arange(len(drawn), dtype=np.intp))


def test_each_head_is_the_minimum_of_its_penalised_loss() -> None:
    features = features_of(300, 0)
    outcomes = outcomes_of(np.full((300, 2), 0.4), 1)
    fitted = Linear(penalty=3.0, surface=0.5, iterations=2000).fit(outcomes, features, 0)
    # Beside the bias, the gradient of the loss at the minimum is minus the penalty's: penalty x weights.
    inputs = np.hstack([features.embeddings.astype(np.float64), fitted.scale(features.surface)])
    slope = (fitted.quality(features) - outcomes.quality).T @ inputs
    np.testing.assert_allclose(slope, -3.0 * fitted.weights[:, :-1], atol=0.01)
    np.testing.assert_allclose((fitted.quality(features) - outcomes.quality).sum(axis=0), 0.0, atol=0.01)


def test_reads_length_where_length_decides() -> None:
    features = features_of(600, 0)
    probabilities = 1 / (1 + np.exp(-3 * features.surface[:, :1]))
    outcomes = outcomes_of(np.hstack([probabilities, 1 - probabilities]), 1)
    predicted = Linear(surface=1.0, penalty=1.0).fit(outcomes, features, 0).quality(features)
    assert np.corrcoef(predicted[:, 0], probabilities[:, 0])[0, 1] > 0.95
    deaf = Linear(surface=0.0).fit(outcomes, features, 0).quality(features)
    assert np.corrcoef(deaf[:, 0], probabilities[:, 0])[0, 1] < 0.5


def test_graded_answers_are_met_on_average() -> None:
    features = features_of(400, 0)
    graded = np.random.default_rng(2).random((400, 2)) * np.array([0.5, 1.0])
    outcomes = Outcomes(("a", "b"), graded, np.arange(400, dtype=np.intp))
    predicted = Linear(iterations=500).fit(outcomes, features, 0).quality(features)
    np.testing.assert_allclose(predicted.mean(axis=0), graded.mean(axis=0), atol=0.01)
