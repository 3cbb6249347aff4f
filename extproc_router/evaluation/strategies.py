"""Strategies by name: each gives one score per row; the higher, the more the strong model is needed.

A strategy that is fitted gives out-of-fold scores: no row is scored by what was learnt from it, or from another row
with the same prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from extproc_router.config.meaning import did_you_mean
from extproc_router.errors import StartupError
from extproc_router.evaluation.outcomes import Pair

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.evaluation.arrays import Floats, Index, Ints

Strategy = Callable[[Pair, int, int], "Floats"]
"""(rows, folds, seed) -> float64 [n]."""

ORACLE = "oracle"
RANDOM = "random"
LENGTH = "length"
GROUP_MEAN = "group-mean"
BASELINES = (RANDOM, LENGTH, GROUP_MEAN)
"""What every other strategy is compared with."""
_DECIMALS = 12


def random(rows: Pair, folds: int, seed: int) -> Floats:  # noqa: ARG001 - every strategy is called alike
    """All rows alike: with ties broken at random, the straight line from always-weak to always-strong."""
    return np.zeros(len(rows))


def length(rows: Pair, folds: int, seed: int) -> Floats:  # noqa: ARG001 - every strategy is called alike
    """Longer prompts first, in characters."""
    return rows.outcomes.lengths.astype(np.float64)


def group_mean(rows: Pair, folds: int, seed: int) -> Floats:
    """Mean gain of the strong model in the row's group, less that of all groups, over the other folds; 0 where unseen.

    The other folds' level must go: it is low where the row's own fold is high, so that it would rank whole folds the
    wrong way round (Parker et al. 2007, Stratification bias in low signal microarray studies).
    """
    gain, dealt = rows.strong - rows.weak, fold_of(rows.outcomes.keys, folds, seed)
    level = cross_validated_mean(gain, np.zeros(len(rows), dtype=np.int64), dealt)
    # Rounded, so that equal means stay equal after the subtraction: ties must not split.
    centred: Floats = np.round(cross_validated_mean(gain, rows.outcomes.groups, dealt) - level, _DECIMALS)
    return centred


def oracle(rows: Pair, folds: int, seed: int) -> Floats:  # noqa: ARG001 - every strategy is called alike
    """What nobody can know beforehand: the gain of this very row."""
    return rows.strong - rows.weak


STRATEGIES: dict[str, Strategy] = {RANDOM: random, LENGTH: length, GROUP_MEAN: group_mean, ORACLE: oracle}


def score(
    names: tuple[str, ...],
    rows: Pair,
    *,
    folds: int = 5,
    seed: int = 0,
    further: Mapping[str, Strategy] = MappingProxyType({}),
    elsewhere: tuple[str, ...] = (),
) -> Mapping[str, Floats]:
    """Score the rows by each named strategy, the baselines and the oracle.

    Args:
        names: what is wanted beside the baselines.
        rows: the pair's outcomes.
        folds: of what is fitted.
        seed: of the folds.
        further: strategies that other rooms bring, by name.
        elsewhere: names of what could be brought, for the message.

    Raises:
        StartupError: an unknown name.
    """
    known = {**STRATEGIES, **further}
    unknown = [name for name in names if name not in known]
    if unknown:
        every = sorted({*known, *elsewhere})
        near = did_you_mean(unknown[0], every)
        raise StartupError(f"unknown strategy {', '.join(unknown)}{near}; known: {', '.join(every)}")
    wanted = dict.fromkeys((*BASELINES, ORACLE, *names))
    return {name: known[name](rows, folds, seed) for name in wanted}


def fold_of(keys: Ints, folds: int, seed: int) -> Index:
    """Deal rows into folds by their prompt's hash, so that equal prompts share one.

    Returns:
        intp [n], in [0, folds).
    """
    # A multiplicative mix: the seed must change the deal, and the low bits of a hash alone would not show it.
    mixed = (keys.astype(np.uint64) ^ np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(folds)).astype(np.intp)


def cross_validated_mean(values: Floats, groups: Ints, folds: Index) -> Floats:
    """Mean of `values` per group over all folds but the row's own; over all groups where its group is only there.

    Args:
        values: float64 [n].
        groups: int64 [n], from 0.
        folds: intp [n], from 0.
    """
    shape = (int(folds.max()) + 1, int(groups.max()) + 1)
    cell = folds * shape[1] + groups
    sums = np.bincount(cell, weights=values, minlength=shape[0] * shape[1]).reshape(shape)
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    other_sums, other_counts = sums.sum(axis=0) - sums, counts.sum(axis=0) - counts
    rest = other_counts.sum(axis=1, keepdims=True)
    overall = np.divide(other_sums.sum(axis=1, keepdims=True), rest, out=np.zeros((shape[0], 1)), where=rest > 0)
    means = np.divide(other_sums, other_counts, out=np.tile(overall, (1, shape[1])), where=other_counts > 0)
    mean: Floats = means[folds, groups]
    return mean
