"""Many models: from predicted quality and known prices to a frontier.

A row goes to the model with the largest predicted quality - lambda x price. lambda walks from infinity, where every row
goes to a cheapest model, to 0, where price counts nothing: the rule is optimal for a cost budget when the predictions
are right (Dekoninck et al. 2025, A Unified Approach to Routing and Cascading for LLMs, section 3). Every value of
lambda at which some row changes its model is a cut point.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from extproc_router.evaluation.arrays import Floats, Index


class Moves(Struct, frozen=True):
    """How rows change their model while lambda falls.

    Attributes:
        start: intp [n], the model of each row at lambda = infinity.
        rows: intp [moves], not yet in order of lambda.
        slope: float64 [moves], the lambda of the move: predicted quality gained per unit of price.
        origin: intp [moves], the model that is left.
        target: intp [moves], the model that is taken.
        end: intp [n], the model of each row at lambda = 0.
    """

    start: Index
    rows: Index
    slope: Floats
    origin: Index
    target: Index
    end: Index


def sweep(predicted: Floats, prices: Floats) -> Moves:
    """Walk lambda from infinity to 0 for every row: the upper convex hull of its (price, predicted quality) points.

    Args:
        predicted: float64 [n, m].
        prices: float64 [m].

    Returns:
        The moves; at most m - 1 for each row. Among equally cheap models the best predicted one is the start, among
        equal slopes the dearest model is taken at once.
    """
    cheapest = prices == prices.min()
    start = np.where(cheapest, predicted, -np.inf).argmax(axis=1)
    now = start.copy()
    active = np.arange(len(predicted))
    moved: list[tuple[Index, Floats, Index, Index]] = []
    while len(active):
        here = now[active]
        extra_price = prices - prices[here][:, None]
        extra_quality = predicted[active] - predicted[active, here][:, None]
        better = (extra_price > 0) & (extra_quality > 0)
        slopes = np.where(better, extra_quality / np.where(better, extra_price, 1.0), -np.inf)
        best = slopes.max(axis=1)
        # Among equal slopes the dearest: the points between lie on the same line.
        target = np.where(slopes == best[:, None], prices, -np.inf).argmax(axis=1)
        moves = best > 0
        active, target, best, here = active[moves], target[moves], best[moves], here[moves]
        moved.append((active, best, here, target))
        now[active] = target
    columns = [np.concatenate(column) for column in zip(*moved, strict=True)] if moved else [np.empty(0, np.intp)] * 4
    return Moves(start, columns[0], columns[1].astype(np.float64), columns[2], columns[3], now)
