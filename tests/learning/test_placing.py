from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.learning import placing
from extproc_router.learning.strategies.factorisation import Factorisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.learning.base import Features, Outcomes
    from extproc_router.learning.strategies.factorisation import FittedFactorisation

    World = Callable[..., tuple[Outcomes, Features]]

NEW = "model-5"


@pytest.fixture
def known(world: World) -> tuple[FittedFactorisation, Outcomes, Features]:
    """A factorisation of five models, and the outcomes of six."""
    outcomes, features = world(500, 6)
    return Factorisation(landmarks=50).fit(outcomes.drop(NEW), features, 0), outcomes, features


def error(fitted: FittedFactorisation, outcomes: Outcomes, features: Features) -> float:
    difference = fitted.quality(features)[:, -1] - outcomes.quality[:, -1]
    return float((difference**2).mean())


def test_a_few_labels_from_each_cluster_do_nearly_as_well_as_all(
    known: tuple[FittedFactorisation, Outcomes, Features],
) -> None:
    fitted, outcomes, features = known
    answers = outcomes.quality[:, -1]
    nothing = np.array([], dtype=np.intp)
    few = placing.choose_prompts(features.embeddings, count=4, each=5, seed=0)
    blind, placed, informed = (
        error(placing.place(fitted, NEW, features.take(rows), answers[rows]), outcomes, features)
        for rows in (nothing, few, np.arange(500))
    )
    assert len(few) == 20
    assert placed - informed < 0.25 * (blind - informed)


def test_without_labels_a_new_model_is_like_the_others(known: tuple[FittedFactorisation, Outcomes, Features]) -> None:
    fitted, _, features = known
    nothing = features.take(np.array([], dtype=np.intp))
    placed = placing.place(fitted, NEW, nothing, np.array([]))
    np.testing.assert_allclose(placed.vectors[-1], fitted.vectors.mean(axis=0))
    np.testing.assert_allclose(placed.biases[-1], fitted.biases.mean())


def test_nothing_else_moves(known: tuple[FittedFactorisation, Outcomes, Features]) -> None:
    fitted, outcomes, features = known
    placed = placing.place(fitted, NEW, features, outcomes.quality[:, -1])
    assert placed.models == outcomes.models
    np.testing.assert_array_equal(placed.quality(features)[:, :-1], fitted.quality(features))


def test_a_known_model_is_refused(known: tuple[FittedFactorisation, Outcomes, Features]) -> None:
    fitted, outcomes, features = known
    with pytest.raises(ValueError, match="model-2 is there already"):
        placing.place(fitted, "model-2", features, outcomes.quality[:, 2])


def test_one_known_model_is_prior_enough(world: World) -> None:
    outcomes, features = world(100, 2)
    alone = Factorisation(landmarks=20).fit(outcomes.drop("model-1"), features, 0)
    placed = placing.place(alone, "model-1", features, outcomes.quality[:, 1])
    assert placed.quality(features)[:, 1].mean() == pytest.approx(outcomes.quality[:, 1].mean(), abs=0.1)


def test_labels_that_all_agree_do_not_run_away(known: tuple[FittedFactorisation, Outcomes, Features]) -> None:
    fitted, _, features = known
    placed = placing.place(fitted, NEW, features, np.ones(len(features)))
    assert np.isfinite(placed.vectors).all()
    assert placed.quality(features)[:, -1].min() > 0.5


def test_prompts_are_chosen_evenly_and_by_the_seed(world: World) -> None:
    _, features = world(300, 2)
    chosen = placing.choose_prompts(features.embeddings, count=4, each=3, seed=0)
    assert len(chosen) == len(np.unique(chosen)) == 12
    again = placing.choose_prompts(features.embeddings, count=4, each=3, seed=0)
    np.testing.assert_array_equal(chosen, again)
    assert not np.array_equal(chosen, placing.choose_prompts(features.embeddings, count=4, each=3, seed=1))
    assert len(placing.choose_prompts(features.embeddings, count=4, each=1000, seed=0)) == 300
    assert len(placing.choose_prompts(features.embeddings, count=4, each=0, seed=0)) == 0
