"""What two thresholds do: hard prompts go straight to the strong model, the others' answers are accepted or escalated.

The first threshold cuts the prediction, the second one the verifier's confidence. Routing alone never escalates; a
cascade alone never goes straight to strong. An escalated answer costs both models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.evaluation.arrays import Floats

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Index

_ROUNDING = 1e-12


class Rows(Struct, frozen=True):
    """n prompts.

    Attributes:
        need: float64 [n], the prediction, higher where the strong model is needed more.
        good: float64 [n], the verifier's confidence in the weak model's answer.
        weak: float64 [n], its quality.
        strong: float64 [n], the strong model's.
        costs: float64 [n, 2], of weak and strong.
    """

    need: Floats
    good: Floats
    weak: Floats
    strong: Floats
    costs: Floats


class Effects(Struct, frozen=True):
    """What every pair of thresholds does; float64 [a, b] each, means over the rows.

    Attributes:
        quality: of the answers that are served.
        cost: of all that was asked.
        direct: share of prompts that go straight to the strong model.
        escalated: share of prompts whose answer is escalated.
    """

    quality: Floats
    cost: Floats
    direct: Floats
    escalated: Floats


def cuts(values: Floats, count: int) -> Floats:
    """Return thresholds that part values into about equal shares: `count` + 1 of them, from below all to above all."""
    inner = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]) if count > 1 else np.empty(0)
    return np.concatenate([[-np.inf], inner, [np.inf]])


def effects(rows: Rows, direct_from: Floats, accept_from: Floats) -> Effects:
    """Work out all pairs of thresholds at once.

    Args:
        rows: the prompts.
        direct_from: float64 [a], ascending: a need of at least this goes straight to the strong model.
        accept_from: float64 [b], ascending: a confidence of at least this is accepted.
    """
    n, shape = len(rows.weak), (len(direct_from) + 1, len(accept_from) + 1)
    # A row's first number is how many of the thresholds its need reaches, the second one likewise.
    cell = np.searchsorted(direct_from, rows.need, side="right") * shape[1] + np.searchsorted(
        accept_from, rows.good, side="right"
    )
    kept = [_kept(cell, values, shape) / n for values in (rows.weak, rows.strong, rows.costs[:, 1], np.ones(n))]
    undirected = [_undirected(cell, values, shape) / n for values in (rows.costs[:, 0], np.ones(n))]
    weak, strong, saved, accepted = kept
    return Effects(
        quality=weak + rows.strong.mean() - strong,
        cost=rows.costs[:, 1].mean() - saved + undirected[0],
        direct=1 - undirected[1],
        escalated=undirected[1] - accepted,
    )


def cheapest(found: Effects, quality: float) -> tuple[int, int] | None:
    """Return the cheapest pair of thresholds that reaches a quality; None where none does."""
    reached = found.quality >= quality - _ROUNDING
    if not reached.any():
        return None
    return _place(np.where(reached, found.cost, np.inf).argmin(), found)


def best(found: Effects, cost: float) -> tuple[int, int] | None:
    """Return the pair of thresholds with the highest quality at no more than a cost; None where all cost more."""
    affordable = found.cost <= cost + _ROUNDING
    if not affordable.any():
        return None
    return _place(np.where(affordable, found.quality, -np.inf).argmax(), found)


def _place(flat: np.intp, found: Effects) -> tuple[int, int]:
    row, column = divmod(int(flat), found.cost.shape[1])
    return row, column


def _table(cell: Index, values: Floats, shape: tuple[int, int]) -> Floats:
    sums = np.bincount(cell, weights=values, minlength=shape[0] * shape[1])
    return sums.astype(np.float64).reshape(shape)


def _kept(cell: Index, values: Floats, shape: tuple[int, int]) -> Floats:
    """Sum over rows whose need stays below threshold a and whose confidence reaches b."""
    below = np.cumsum(_table(cell, values, shape), axis=0)[:-1]
    sums: Floats = np.cumsum(below[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return sums


def _undirected(cell: Index, values: Floats, shape: tuple[int, int]) -> Floats:
    """Sum over rows whose need stays below threshold a, for every b alike."""
    below = np.cumsum(_table(cell, values, shape).sum(axis=1))[:-1]
    return np.repeat(below[:, None], shape[1] - 1, axis=1)
