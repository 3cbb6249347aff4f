"""How well strategies route among many models, by predicted quality and price."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.evaluation import frontier, resample
from extproc_router.evaluation.findings import Interval, Model
from extproc_router.evaluation.strategies import GROUP_MEAN, LENGTH, ORACLE, cross_validated_mean, fold_of
from extproc_router.evaluation.sweep import sweep

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Floats, Index, Ints
    from extproc_router.evaluation.outcomes import Outcomes
    from extproc_router.evaluation.resample import Curve, Units
    from extproc_router.evaluation.sweep import Moves

Predictor = Callable[["Outcomes", int, int], "Floats"]
"""(rows, folds, seed) -> predicted quality float64 [n, m], out of fold where it is fitted."""

_LENGTH_BUCKETS = 10
_SEEN = 0.95
POINTS = 501


class Mixed(Struct, frozen=True):
    """A strategy among many models.

    Attributes:
        quality: with price counting nothing (lambda = 0).
        cost: mean per request there; None where costs are unknown.
        shares: model -> share of requests there.
        over_best: `quality` less that of the best single model.
        regret: quality of the best model for each row, less `quality`.
        auc: mean quality over the cost axis, from the cheapest model's mean cost to the dearest's; behind the
            frontier's end its last quality holds. None where costs are unknown.
        oracle_gap: AUC of the oracle less this one's; of the qualities where costs are unknown.
        match_cost: least mean cost that reaches the best single model's quality; None where it is never reached.
        frontier: (mean cost, quality).
    """

    quality: float
    interval: Interval | None
    cost: float | None
    shares: Mapping[str, float]
    over_best: float
    over_best_interval: Interval | None
    regret: float
    auc: float | None
    auc_interval: Interval | None
    oracle_gap: float
    match_cost: float | None
    frontier: list[tuple[float, float]]


class ManyRouting(Struct, frozen=True):
    """The evaluation of many models.

    Attributes:
        n: rows on which all of them were tried.
        models: best first.
        random: quality of a model drawn at random for each row.
        oracle_quality: mean quality of the best model of each row.
        headroom: `oracle_quality` less the best single model's.
    """

    n: int
    models: list[Model]
    random: float
    oracle_quality: float
    headroom: float
    headroom_interval: Interval | None
    strategies: Mapping[str, Mixed]
    rounds: int
    rounds_asked: int
    seed: int


def complete(rows: Outcomes) -> tuple[Outcomes, tuple[str, ...]]:
    """Return the rows on which all models were tried, without models that were tried on less than 95 % of the rows.

    Returns:
        The rows, and the models that were left out.

    Raises:
        StartupError: fewer than two models, or no row, are left.
    """
    tried = np.isfinite(rows.quality).mean(axis=0)
    kept = tuple(model for model, share in zip(rows.models, tried, strict=True) if share >= _SEEN)
    if len(kept) < 2:  # noqa: PLR2004 - a choice needs two
        raise StartupError("fewer than two models were tried on 95 % of the rows; name a pair with --strong and --weak")
    return rows.select(kept), tuple(model for model in rows.models if model not in kept)


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


def evaluate(
    rows: Outcomes, predictions: Mapping[str, Floats], *, bootstrap: int = 1000, folds: int = 5, seed: int = 0
) -> ManyRouting:
    """Measure strategies among all models of `rows`.

    Args:
        rows: outcomes without holes (see `complete`).
        predictions: name -> float64 [n, m] predicted quality. The baselines and the oracle are added.
        bootstrap: rounds; Ctrl-C ends them early, and the result says so.
        folds: of cross-validated baselines.
        seed: of rounds and folds.

    Raises:
        StartupError: a prediction has another shape or holds NaN.
    """
    for name, given in predictions.items():
        if given.shape != rows.quality.shape or not np.isfinite(given).all():
            raise StartupError(f"strategy {name}: predictions must be finite, of shape {rows.quality.shape}")
    known = rows.costs is not None and bool(np.isfinite(rows.costs).all())
    costs = rows.costs if known and rows.costs is not None else np.zeros_like(rows.quality)
    every = {**{name: predictor(rows, folds, seed) for name, predictor in PREDICTORS.items()}, **predictions}
    moves = {name: sweep(predicted, costs.mean(axis=0)) for name, predicted in every.items()}
    units = resample.units(len(rows), seed)
    paths = {name: _Path(rows.quality, costs, moved, units) for name, moved in moves.items()}
    singles = np.stack([units.totals(column) for column in rows.quality.T])
    best_of_row = rows.quality.max(axis=1)
    oracle_totals, sizes = units.totals(best_of_row), units.sizes
    cost_range = np.array([costs.mean(axis=0).min(), costs.mean(axis=0).max()])
    done: dict[str, list[Floats]] = {name: [] for name in paths}
    models: list[Floats] = []
    heads: list[Floats] = []
    try:
        for weights in resample.rounds(units, bootstrap, seed):
            drawn = weights @ sizes
            means = singles @ weights.T / drawn
            figures = {name: path.figures(weights, drawn, cost_range) for name, path in paths.items()}
            models.append(means)
            heads.append(weights @ oracle_totals / drawn - means.max(axis=0))
            for name, values in figures.items():
                done[name].append(np.stack([values[0], values[0] - means.max(axis=0), values[1]]))
    except KeyboardInterrupt:
        pass  # `rounds` says how far it came
    whole = len(heads)
    sampled = {name: _joined(chunks[:whole], 3) for name, chunks in done.items()}
    means = _joined(models[:whole], len(rows.models))
    mean = rows.quality.mean(axis=0)
    ones, whole_rows = np.ones((1, units.count)), np.array([float(len(rows))])
    aucs = {name: float(path.figures(ones, whole_rows, cost_range)[1][0]) for name, path in paths.items()}
    strategies = {
        name: _mixed(rows, costs if known else None, moves[name], paths[name], sampled[name], aucs[name], aucs[ORACLE])
        for name in paths
    }
    ranked = sorted(range(len(rows.models)), key=lambda model: -mean[model])
    return ManyRouting(
        n=len(rows),
        models=[
            Model(
                rows.models[model],
                float(mean[model]),
                resample.interval(means[model]),
                float(costs[:, model].mean()) if known else None,
            )
            for model in ranked
        ],
        random=float(rows.quality.mean()),
        oracle_quality=float(best_of_row.mean()),
        headroom=float(best_of_row.mean() - mean.max()),
        headroom_interval=resample.interval(np.concatenate(heads)) if heads else None,
        strategies=strategies,
        rounds=means.shape[1],
        rounds_asked=bootstrap,
        seed=seed,
    )


class _Path:
    """A frontier among many models, ready for rounds."""

    def __init__(self, quality: Floats, costs: Floats, moves: Moves, units: Units) -> None:
        number = np.arange(len(quality))
        self.walked = frontier.events(
            moves.slope,
            costs[moves.rows, moves.target] - costs[moves.rows, moves.origin],
            quality[moves.rows, moves.target] - quality[moves.rows, moves.origin],
            moves.rows,
        )
        self.base = (costs[number, moves.start], quality[number, moves.start])
        self._totals = np.stack([units.totals(values) for values in self.base])
        self._curve: Curve | None = resample.curve(self.walked, units) if len(moves.rows) else None

    def walk(self, weights: Floats, drawn: Floats) -> tuple[Floats, Floats]:
        """Return (mean cost, mean quality), float64 [rounds, points]."""
        x0, y0 = self._totals @ weights.T / drawn
        if self._curve is None:
            return x0[:, None], y0[:, None]
        x, y = self._curve.walk(weights)
        return x0[:, None] + x / drawn[:, None], y0[:, None] + y / drawn[:, None]

    def figures(self, weights: Floats, drawn: Floats, cost_range: Floats) -> tuple[Floats, Floats]:
        """Return the quality at lambda = 0 and the mean quality over the cost axis, float64 [rounds] each."""
        x, y = self.walk(weights, drawn)
        low, high = cost_range
        if high <= low:
            return y[:, -1], y[:, -1]
        at = np.clip((x - low) / (high - low), 0.0, 1.0)
        return y[:, -1], at[:, 0] * y[:, 0] + frontier.area(at, y) + (1 - at[:, -1]) * y[:, -1]


def _mixed(
    rows: Outcomes, costs: Floats | None, moves: Moves, path: _Path, sampled: Floats, auc: float, oracle_auc: float
) -> Mixed:
    number = np.arange(len(rows))
    chosen = rows.quality[number, moves.end]
    quality, best = float(chosen.mean()), float(rows.quality.mean(axis=0).max())
    shares = np.bincount(moves.end, minlength=len(rows.models)) / len(rows)
    x, y = _exact(path, len(rows))
    match = float(frontier.first_crossing(x[None], y[None], np.array([best]))[0])
    return Mixed(
        quality=quality,
        interval=resample.interval(sampled[0]),
        cost=None if costs is None else float(costs[number, moves.end].mean()),
        shares={model: float(share) for model, share in zip(rows.models, shares, strict=True) if share > 0},
        over_best=quality - best,
        over_best_interval=resample.interval(sampled[1]),
        regret=float(rows.quality.max(axis=1).mean()) - quality,
        auc=None if costs is None else auc,
        auc_interval=None if costs is None else resample.interval(sampled[2]),
        oracle_gap=oracle_auc - auc,
        match_cost=None if costs is None or np.isnan(match) else match,
        frontier=frontier.thin(x, y, POINTS),
    )


def _exact(path: _Path, rows: int) -> tuple[Floats, Floats]:
    x, y = frontier.walk(path.walked, rows)
    return float(path.base[0].mean()) + x, float(path.base[1].mean()) + y


def _means(rows: Outcomes, groups: Ints, folds: int, seed: int) -> Floats:
    dealt: Index = fold_of(rows.keys, folds, seed)
    return np.stack([cross_validated_mean(column, groups, dealt) for column in rows.quality.T], axis=1)


def _joined(chunks: list[Floats], height: int) -> Floats:
    return np.concatenate(chunks, axis=1) if chunks else np.empty((height, 0))
