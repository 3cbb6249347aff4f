"""Weights, and thresholds that should give the best quality for a budget, from what one half of the prompts showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.evaluation import cascade_fit, cascade_grid, cascade_rows
from extproc_router.evaluation.cascade_grid import Rows
from extproc_router.lab.cascade_quality.playing import Served
from extproc_router.lab.cascade_quality.policies import Policy

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Floats

ROUTING, CASCADE, BOTH = "routing", "cascade", "cascade + prediction"
# Fewer where there are two, since the best of many pairs is luck.
_FINE, _COARSE = 100, 10
_NOBODY, _EVERYBODY = np.array([np.inf]), np.array([-np.inf])


class Seen(Struct, frozen=True):
    """The picking half, in the order of its prompts: weak's answers, each judged, and strong's."""

    weak: Sequence[Served]
    strong: Sequence[Served]


def pick(seen: Seen, *, budget: float, seed: int) -> dict[str, Policy]:
    """Pick a policy for routing alone, for a cascade alone, and for both.

    Args:
        seen: what came of each prompt.
        budget: what may be spent, as a share of what the strong model alone costs.
        seed: of the folds in which the verifier's head is tried.

    Raises:
        StartupError: there are too few answers to fit the head, or all are equally good.
    """
    need = np.array([served.difficulty or 0.0 for served in seen.weak])
    alone, both = _judged(seen, difficulty=False), _judged(seen, difficulty=True)
    by_need = cascade_grid.cuts(need, _FINE), cascade_grid.cuts(need, _COARSE)
    direct, _ = _best(_rows(seen, need, np.zeros(len(need))), by_need[0], _EVERYBODY, budget)
    good = cascade_fit.out_of_fold(alone, seed=seed)
    _, accept = _best(_rows(seen, need, good), _NOBODY, cascade_grid.cuts(good, _FINE), budget)
    good = cascade_fit.out_of_fold(both, seed=seed)
    both_direct, both_accept = _best(_rows(seen, need, good), by_need[1], cascade_grid.cuts(good, _FINE), budget)
    return {
        ROUTING: Policy(direct_from=direct),
        CASCADE: Policy(accept_at=accept, weights=cascade_fit.weights(alone)),
        BOTH: Policy(
            direct_from=both_direct,
            accept_at=both_accept,
            weights=cascade_fit.weights(both),
            reads_difficulty=True,
        ),
    }


def auc(seen: Seen, *, seed: int) -> float:
    """Return how well the head tells good answers of the weak model from bad ones, out of fold, difficulty included."""
    judged = _judged(seen, difficulty=True)
    return cascade_fit.auc(cascade_fit.out_of_fold(judged, seed=seed), judged.weak)


def _judged(seen: Seen, *, difficulty: bool) -> cascade_rows.Judged:
    features: list[Mapping[str, float]] = [
        {name: value for name, value in served.features.items() if difficulty or name != "difficulty"}
        for served in seen.weak
    ]
    return cascade_rows.Judged(
        terms=cascade_rows.matrix(features),
        hard=np.array([bool(served.signs) for served in seen.weak]),  # all are accepted, or have a hard sign
        weak=_good(seen.weak),
        strong=_good(seen.strong),
        costs=_costs(seen),
        groups=np.arange(len(seen.weak)),
    )


def _rows(seen: Seen, need: Floats, good: Floats) -> Rows:
    return Rows(need, good, _good(seen.weak), _good(seen.strong), _costs(seen))


def _good(served: Sequence[Served]) -> Floats:
    return np.array([float(each.good) for each in served])


def _costs(seen: Seen) -> Floats:
    return np.array([[weak.cost, strong.cost] for weak, strong in zip(seen.weak, seen.strong, strict=True)])


def _best(rows: Rows, direct_from: Floats, accept_from: Floats, budget: float) -> tuple[float | None, float]:
    """Return the thresholds as policies have them: with the best quality that the budget allows; else the cheapest."""
    found = cascade_grid.effects(rows, direct_from, accept_from)
    place = cascade_grid.best(found, budget * float(rows.costs[:, 1].mean())) or cascade_grid.cheapest(found, 0.0)
    assert place is not None  # noqa: S101 - everything has a quality of at least 0
    direct, accept = float(direct_from[place[0]]), float(accept_from[place[1]])
    return (None if direct == np.inf else max(direct, 0.0)), min(max(accept, 0.0), 1.0)
