from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import StartupError
from extproc_router.learning import base, crossfit
from extproc_router.learning.base import Outcomes
from extproc_router.learning.strategies import STRATEGIES
from extproc_router.learning.strategies.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.learning.base import Features, Floats

    World = Callable[..., tuple[Outcomes, Features]]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=80), st.integers(2, 6), st.integers(0, 5))
def test_a_group_is_in_one_fold_and_folds_are_even(numbers: list[int], folds: int, seed: int) -> None:
    groups = np.array(numbers, dtype=np.intp)
    fold = crossfit.deal(groups, folds, seed)
    sizes = [0] * folds
    for group in np.unique(groups):
        [place] = np.unique(fold[groups == group]).tolist()
        sizes[place] += 1
    assert max(sizes) - min(sizes) <= 1


def test_the_seed_changes_the_deal() -> None:
    groups = np.arange(100, dtype=np.intp)
    assert not np.array_equal(crossfit.deal(groups, 5, 0), crossfit.deal(groups, 5, 1))


def test_no_prompt_is_judged_by_its_own_question(world: World) -> None:
    outcomes, features = world(120, 2)
    random = np.random.default_rng(0)
    # Noise, every row twice: whoever sees the twin knows the answer.
    quality = np.tile((random.random((60, 2)) < 0.5).astype(np.float64), (2, 1))
    twice = np.tile(np.arange(60), 2)
    features = features.take(twice.astype(np.intp))
    memory = Neighbours(count=1, prior=0.0)
    apart = Outcomes(outcomes.models, quality, np.arange(120, dtype=np.intp))
    together = Outcomes(outcomes.models, quality, twice.astype(np.intp))
    leaked = crossfit.out_of_fold(memory, apart, features, folds=5, seed=0)
    honest = crossfit.out_of_fold(memory, together, features, folds=5, seed=0)
    assert (np.round(leaked) == quality).mean() > 0.75
    assert (np.round(honest) == quality).mean() < 0.65


def test_tells_of_each_fold(world: World) -> None:
    outcomes, features = world(60, 2)
    told: list[None] = []
    crossfit.out_of_fold(Neighbours(), outcomes, features, folds=4, seed=0, after_each=lambda: told.append(None))
    assert len(told) == 4


def apgr(score: Floats, gain: Floats) -> float:
    """Mean share of the gain reached over all cut points, 0.5 by chance; for scores without many ties."""
    reached = np.cumsum(gain[np.argsort(-score, kind="stable")]) / gain.sum()
    return float(np.mean(reached))


@pytest.mark.parametrize("name", ["table", "linear", "neighbours", "similarity"])
def test_on_labels_without_information_nothing_is_better_or_worse_than_chance(world: World, name: str) -> None:
    pooled, centred = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        _, features = world(300, 2, seed=seed)
        quality = (random.random((300, 2)) < [0.55, 0.75]).astype(np.float64)
        outcomes = Outcomes(("weak", "strong"), quality, np.arange(300, dtype=np.intp))
        predicted = crossfit.out_of_fold(STRATEGIES[name](), outcomes, features, folds=5, seed=seed)
        fold, gain = crossfit.deal(outcomes.groups, 5, seed), quality[:, 1] - quality[:, 0]
        pooled.append(apgr(base.need(predicted, 1, 0), gain))
        centred.append(apgr(crossfit.need(predicted, fold, 1, 0), gain))
    # The standard error of either mean is 0.01, that of their difference is much less.
    assert abs(np.mean(centred) - 0.5) < 0.03
    assert np.mean(pooled) < np.mean(centred) - 0.02, "which is why folds are centred"


def test_folds_share_one_mean_and_ties_stay_ties() -> None:
    fold = np.repeat(np.arange(3), 7).astype(np.intp)
    strong = np.repeat([0.3, 0.7, 0.1], 7) + np.tile([0.0, 0.0, 0.1, 0.1, 0.1, 0.2, 0.2], 3)
    needs = crossfit.need(np.stack([np.full(21, 0.4), strong], axis=1), fold, 1, 0)
    assert [float(needs[fold == number].mean()) for number in range(3)] == pytest.approx([needs.mean()] * 3)
    assert len(np.unique(needs)) == 3


def test_folds_too_small_to_be_centred_are_refused() -> None:
    with pytest.raises(StartupError, match="a fold has 2 rows"):
        crossfit.need(np.zeros((12, 2)), np.repeat(np.arange(6), 2).astype(np.intp), 1, 0)
