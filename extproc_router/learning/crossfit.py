"""Out-of-fold predictions: no prompt is judged by what was learnt from its own question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.learning.base import Features, Floats, Index, Outcomes, Strategy


def deal(groups: Index, folds: int, seed: int) -> Index:
    """Deal groups into folds, evenly by number of groups.

    Args:
        groups: intp [n].
        folds: how many, >= 2.
        seed: of the shuffle.

    Returns:
        intp [n], in [0, folds).
    """
    _, number = np.unique(groups, return_inverse=True)
    places = np.random.default_rng(seed).permutation(int(number.max()) + 1) % folds
    return places[number].astype(np.intp)


def out_of_fold(
    strategy: Strategy,
    outcomes: Outcomes,
    features: Features,
    *,
    folds: int,
    seed: int,
    after_each: Callable[[], None] = lambda: None,
) -> Floats:
    """Predict every prompt by a fit on the other folds.

    Args:
        strategy: what to fit, `folds` times.
        outcomes: of n prompts, in at least two groups.
        features: of the same prompts.
        folds: how many, >= 2.
        seed: of the deal and of the fits.
        after_each: is called after each fold.

    Returns:
        Predicted quality, float64 [n, m].
    """
    fold = deal(outcomes.groups, folds, seed)
    quality = np.tile(outcomes.means(), (len(outcomes), 1))
    for number in range(folds):
        held_out = fold == number
        if held_out.any() and not held_out.all():
            fitted = strategy.fit(outcomes.take(~held_out), features.take(~held_out), seed)
            quality[held_out] = fitted.quality(features.take(held_out))
        after_each()
    return quality
