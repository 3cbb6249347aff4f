"""Tests of whether two samples come from one distribution, and how far apart they are. Small pure functions.

Counts are float64 [cells] with a positive sum, the same cells on both sides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.evaluation.arrays import Floats

_LEAST_EXPECTED = 5.0
_PSI_BINS = 10
_CHANCE = 4.0  # standard deviations


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: reject where the adjusted value is at most alpha."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def chi_square(before: Floats, after: Floats) -> tuple[float, float, float]:
    """Test whether two rows of counts come from one distribution.

    Args:
        before: float64 [k], with a positive sum.
        after: float64 [k], with a positive sum.

    Returns:
        (statistic, p-value, Cramer's V). One cell after pooling: (0, 1, 0).
    """
    table = pooled(np.stack([before, after]))
    if table.shape[1] < 2:  # noqa: PLR2004 - nothing to compare
        return 0.0, 1.0, 0.0
    total = table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / total
    statistic = float(((table - expected) ** 2 / expected).sum())
    freedom = table.shape[1] - 1
    return statistic, _survival_chi_square(statistic, freedom), math.sqrt(statistic / total)


def kolmogorov_smirnov(before: Floats, after: Floats) -> tuple[float, float]:
    """Compare two binned samples: (D, asymptotic p-value, which binning makes larger, never smaller)."""
    n, m = before.sum(), after.sum()
    distance = float(np.abs(np.cumsum(before) / n - np.cumsum(after) / m).max())
    return distance, _survival_kolmogorov(distance * math.sqrt(n * m / (n + m)))


def psi(before: Floats, after: Floats) -> float:
    """Population stability index: sum of (q - p) ln(q / p) over cells; half a count is added to each."""
    p = (before + 0.5) / (before.sum() + 0.5 * len(before))
    q = (after + 0.5) / (after.sum() + 0.5 * len(after))
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(before: Floats, after: Floats) -> float:
    """Jensen-Shannon divergence in bits, in [0, 1] (Lin 1991)."""
    p, q = before / before.sum(), after / after.sum()
    middle = (p + q) / 2

    def divergence(part: Floats) -> float:
        some = part > 0
        return float((part[some] * np.log2(part[some] / middle[some])).sum())

    return (divergence(p) + divergence(q)) / 2


def pooled(table: Floats) -> Floats:
    """Merge the rarest columns of counts [2, k] until every expected count is 5 or more."""
    order = np.argsort(-table.sum(axis=0), kind="stable")
    table = table[:, order]
    least = table.sum(axis=1).min() / table.sum()
    keep = int((table.sum(axis=0) * least >= _LEAST_EXPECTED).sum())
    rest = table[:, keep:].sum(axis=1, keepdims=True)
    if not rest.sum():
        return table[:, :keep]
    if rest.sum() * least >= _LEAST_EXPECTED or not keep:
        return np.concatenate([table[:, :keep], rest], axis=1)
    return np.concatenate([table[:, : keep - 1], table[:, keep - 1 : keep] + rest], axis=1)


def newcomers(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Merge the cells that are empty before into one, where they hold more than chance explains.

    Pooled with the other rare cells, a turnover of rare labels would be invisible. Chance, given both samples together:
    each count of a cell falls into `after` with probability m / (n + m), independently, and a cell is empty before when
    all of them do. A long tail of labels has many such cells without any change; they stay as they are then.

    Returns:
        (before, after), float64 [cells] with the merged cell last, or as given.
    """
    new = before == 0
    both = before + after
    empty = (after.sum() / both.sum()) ** both
    usual, spread = float((both * empty).sum()), math.sqrt(float((both**2 * empty * (1 - empty)).sum()))
    if after[new].sum() <= usual + _CHANCE * spread:
        return before, after
    return np.append(before[~new], 0.0), np.append(after[~new], after[new].sum())


def tenths(before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """Merge neighbouring bins into about ten that hold equal parts of the reference."""
    upto = np.cumsum(before) / before.sum()
    group = np.minimum((np.concatenate([[0.0], upto[:-1]]) * _PSI_BINS).astype(int), _PSI_BINS - 1)
    p, q = (np.bincount(group, weights=counts, minlength=_PSI_BINS).astype(np.float64) for counts in (before, after))
    return p, q


def _survival_chi_square(statistic: float, freedom: int) -> float:
    return float(_scipy_special().gammaincc(freedom / 2, statistic / 2))


def _survival_kolmogorov(value: float) -> float:
    return float(_scipy_special().kolmogorov(value))


def _scipy_special() -> Any:  # noqa: ANN401 - an optional module without types
    try:
        from scipy import special  # type: ignore[import-untyped]  # noqa: PLC0415 - scipy ships no types; optional
    except ImportError as error:
        raise StartupError("drift needs scipy: pip install 'extproc-router[evaluate]'") from error
    return special
