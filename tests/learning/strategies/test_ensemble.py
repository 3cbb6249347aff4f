from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.learning.strategies.ensemble import Ensemble, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.learning.base import Features, Floats, Outcomes

    World = Callable[..., tuple[Outcomes, Features]]


def predictions(seed: int, members: int, rows: int = 60) -> tuple[Floats, ...]:
    random = np.random.default_rng(seed)
    quality = (random.random((rows, 3)) < 0.5).astype(np.float64)
    predicted = quality * random.random((members, 1, 1)) + random.normal(0, 0.5, (members, rows, 3))
    return predicted, quality


def squared_error(
    weights: Floats,
    predicted: Floats,
    quality: Floats,
) -> float:
    mean = np.einsum("k,knm->nm", weights, predicted) - quality
    mean -= mean.mean(axis=1, keepdims=True)
    return float((mean**2).sum())


@given(st.integers(0, 1000), st.integers(2, 5))
def test_no_other_weights_are_better(seed: int, members: int) -> None:
    predicted, quality = predictions(seed, members)
    weights = stack(predicted, quality, 0.0)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    least = squared_error(weights, predicted, quality)
    for other in np.random.default_rng(seed).dirichlet(np.ones(members), 50):
        assert least <= squared_error(other, predicted, quality) + 1e-9


def test_who_is_right_gets_everything_and_who_only_knows_difficulty_nothing() -> None:
    quality = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    difficulty = np.repeat(quality.mean(axis=1, keepdims=True), 2, axis=1)
    weights = stack(np.stack([quality, difficulty]), quality, 0.0)
    np.testing.assert_allclose(weights, [1, 0], atol=1e-9)


def test_evenness_pulls_to_equal_weights() -> None:
    predicted, quality = predictions(0, 3)
    np.testing.assert_allclose(stack(predicted, quality, 1e9), [1 / 3] * 3, atol=1e-6)


def test_members_that_say_the_same_share() -> None:
    predicted, quality = predictions(0, 1)
    np.testing.assert_allclose(stack(np.repeat(predicted, 2, axis=0), quality, 1.0), [0.5, 0.5], atol=1e-6)


def test_cells_that_were_not_tried_do_not_count() -> None:
    quality = np.array([[1.0, 0.0, np.nan], [0.0, 1.0, np.nan], [1.0, 0.0, np.nan]])
    right = np.nan_to_num(quality)
    wild = right.copy()
    wild[:, 2] = 100.0
    weights = stack(np.stack([1 - right, wild]), quality, 0.0)
    np.testing.assert_allclose(weights, [0, 1], atol=1e-9)


def test_its_quality_is_the_weighted_mean_of_its_members(world: World) -> None:
    outcomes, features = world(150, 2)
    fitted = Ensemble().fit(outcomes, features, 0)
    parts = [member.quality(features) for member in fitted.members.values()]
    np.testing.assert_allclose(fitted.quality(features), np.einsum("k,knm->nm", fitted.weights, np.stack(parts)))
