"""Strategies among many models by name: each predicts the quality of every model on every row, out of fold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from extproc_router.evaluation.outcomes import Outcomes
from extproc_router.evaluation.strategies import GROUP_MEAN, LENGTH, ORACLE, cross_validated_mean, fold_of

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Floats, Index, Ints

Predictor = Callable[[Outcomes, int, int], "Floats"]
"""(rows, folds, seed) -> predicted quality float64 [n, m]."""

_LENGTH_BUCKETS = 10


def group_mean(rows: Outcomes, folds: int, seed: int) -> Floats:
    """Mean quality of each model in the row's group, over the other folds."""
    return _means(rows, rows.groups, folds, seed)


def length(rows: Outcomes, folds: int, seed: int) -> Floats:
    """Mean quality of each model in the row's tenth of prompt lengths, over the other folds."""
    edges = np.unique(np.quantile(rows.lengths, np.linspace(0, 1, _LENGTH_BUCKETS + 1)[1:-1]))
    return _means(rows, np.searchsorted(edges, rows.lengths).astype(np.int64), folds, seed)


def oracle(rows: Outcomes, folds: int, seed: int) -> Floats:  # noqa: ARG001 - every predictor is called alike
    """What nobody can know beforehand: the quality of every model on this very row."""
    return rows.quality


PREDICTORS: dict[str, Predictor] = {LENGTH: length, GROUP_MEAN: group_mean, ORACLE: oracle}


def _means(rows: Outcomes, groups: Ints, folds: int, seed: int) -> Floats:
    dealt: Index = fold_of(rows.keys, folds, seed)
    return np.stack([cross_validated_mean(column, groups, dealt) for column in rows.quality.T], axis=1)
