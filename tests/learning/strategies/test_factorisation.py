from __future__ import annotations

import numpy as np

from extproc_router import surface
from extproc_router.learning.base import Features, Floats, Outcomes
from extproc_router.learning.strategies.factorisation import Factorisation


def made_of_factors(rows: int, models: int, seed: int) -> tuple[Outcomes, Features, Floats]:
    """Outcomes drawn from a factorisation of rank 2, and the probabilities that they were drawn by."""
    random = np.random.default_rng(seed)
    embeddings = random.normal(size=(rows, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    vectors = random.normal(size=(models, 2))
    logits = 6.0 * embeddings[:, :2] @ vectors.T
    probabilities = 1 / (1 + np.exp(-logits))
    quality = (random.random(probabilities.shape) < probabilities).astype(np.float64)
    features = Features(embeddings.astype(np.float32), np.ones((rows, 1)), np.zeros((rows, surface.SIZE)))
    return Outcomes(tuple(map(str, range(models))), quality, np.arange(rows, dtype=np.intp)), features, probabilities


def test_finds_the_factors_that_made_the_outcomes() -> None:
    outcomes, features, probabilities = made_of_factors(1500, 12, seed=3)
    train, test = np.arange(1000), np.arange(1000, 1500)
    fitted = Factorisation(rank=2, landmarks=100, sharpness=1.0).fit(outcomes.take(train), features.take(train), 0)
    predicted = fitted.quality(features.take(test))
    assert fitted.vectors.shape == (12, 2)
    explained = 1 - np.var(predicted - probabilities[test]) / np.var(probabilities[test])
    assert explained > 0.9


def test_rank_is_no_more_than_there_are_models() -> None:
    outcomes, features, _ = made_of_factors(100, 3, seed=0)
    fitted = Factorisation(rank=8).fit(outcomes, features, 0)
    assert fitted.prompt_vectors(features).shape == (100, 3)


def test_landmarks_are_no_more_than_there_are_prompts() -> None:
    outcomes, features, _ = made_of_factors(60, 3, seed=0)
    assert len(Factorisation(landmarks=2000).fit(outcomes, features, 0).landmarks) == 60


def test_prompts_that_are_all_alike_get_the_models_means() -> None:
    outcomes, features, _ = made_of_factors(80, 3, seed=0)
    alike = Features(np.tile(features.embeddings[:1], (80, 1)), features.domains, features.surface)
    predicted = Factorisation().fit(outcomes, alike, 0).quality(alike)
    np.testing.assert_allclose(predicted, np.tile(outcomes.quality.mean(axis=0), (80, 1)), atol=0.02)


def test_the_heaviest_penalty_leaves_the_means() -> None:
    outcomes, features, _ = made_of_factors(300, 4, seed=0)
    predicted = Factorisation(penalty=1e6).fit(outcomes, features, 0).quality(features)
    np.testing.assert_allclose(predicted, np.tile(outcomes.quality.mean(axis=0), (300, 1)), atol=0.02)
