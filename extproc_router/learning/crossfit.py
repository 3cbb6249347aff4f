"""Out-of-fold predictions: no prompt is judged by what was learnt from its own question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.errors import StartupError
from extproc_router.learning import base

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.learning.base import Features, Floats, Index, Outcomes, Strategy


_LEAST_ROWS = 5  # in a fold: what is centred within one row says nothing
_DECIMALS = 12  # of needs: what is equal before centring stays equal after it


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


def need(quality: Floats, fold: Index, strong: int, weak: int) -> Floats:
    """The need for the strong model by out-of-fold predictions, made comparable between folds.

    A fold in which the strong model happens to gain much leaves little for the others, so its rows are predicted too
    low, and the reverse. Pooled as they are, such predictions rank whole folds the wrong way round: on outcomes
    that say nothing about the prompt they do worse than chance. So every fold gets the same mean. Folds are dealt at
    random, so nothing is lost but the share 1 / rows of a fold.

    Args:
        quality: float64 [n, m], of `out_of_fold`.
        fold: intp [n], of the same `deal`.
        strong: column of the strong model.
        weak: that of the weak one.

    Returns:
        float64 [n]: `base.need`, less its mean in the row's fold, plus its mean over all rows. For ranking; it can
        leave [0, 1] a little.

    Raises:
        StartupError: a fold has too few rows to be centred.
    """
    sizes = np.bincount(fold)
    least = int(sizes[sizes > 0].min())
    if least < _LEAST_ROWS:
        raise StartupError(f"a fold has {least} rows, {_LEAST_ROWS} is the least: ask for fewer folds")
    needs = base.need(quality, strong, weak)
    means = np.bincount(fold, weights=needs) / np.maximum(sizes, 1)
    centred: Floats = np.round(needs - means[fold] + needs.mean(), _DECIMALS)
    return centred
