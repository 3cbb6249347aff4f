from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.learning import crossfit
from extproc_router.learning.base import Outcomes
from extproc_router.learning.strategies.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.learning.base import Features

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
