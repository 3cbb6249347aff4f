from __future__ import annotations

import numpy as np
import pytest

from extproc_router import surface
from extproc_router.learning.base import Features, Outcomes
from extproc_router.learning.strategies.neighbours import Neighbours


def at(*degrees: float) -> Features:
    angles = np.radians(degrees)
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Features(embeddings, np.ones((len(degrees), 1)), np.zeros((len(degrees), surface.SIZE)))


def seen(*rows: tuple[float, float]) -> Outcomes:
    return Outcomes(("a", "b"), np.array(rows), np.arange(len(rows), dtype=np.intp))


def test_asks_the_nearest_alone() -> None:
    outcomes, features = seen((1, 0), (1, 0), (0, 1), (0, 1)), at(0, 10, 80, 90)
    fitted = Neighbours(count=2, prior=0.0).fit(outcomes, features, 0)
    np.testing.assert_allclose(fitted.quality(at(5, 85)), [[1, 0], [0, 1]], atol=1e-6)


def test_weighs_by_a_power_of_the_cosine_and_mixes_the_prior_in() -> None:
    outcomes, features = seen((1, 0), (0, 0)), at(0, 60)
    fitted = Neighbours(count=2, power=2.0, prior=3.0).fit(outcomes, features, 0)
    # Weights 1 and cos(60)^2 = 1/4; the mean of a is (1 + 0.5) / 3.
    expected = (1 + 3 * 0.5) / (1 + 0.25 + 3)
    assert fitted.quality(at(0))[0, 0] == pytest.approx(expected, abs=1e-6)


def test_a_model_that_no_neighbour_has_tried_gets_its_mean() -> None:
    outcomes = seen((1, np.nan), (1, np.nan), (0, 1), (0, 1))
    fitted = Neighbours(count=2).fit(outcomes, at(0, 1, 90, 91), 0)
    assert fitted.quality(at(0))[0, 1] == pytest.approx(outcomes.means()[1])


def test_remembers_no_more_than_its_capacity() -> None:
    outcomes, features = seen(*[(1.0, 0.0)] * 30), at(*range(30))
    fitted = Neighbours(capacity=10).fit(outcomes, features, 0)
    assert fitted.arrays()["embeddings"].shape == (10, 2)
    assert fitted.quality(at(3)).shape == (1, 2)
