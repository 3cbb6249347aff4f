"""How well strategies route among many models, by predicted quality and price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.evaluation import resample
from extproc_router.evaluation.findings import Interval, Model
from extproc_router.evaluation.predictors import PREDICTORS
from extproc_router.evaluation.strategies import ORACLE
from extproc_router.evaluation.sweep import sweep
from extproc_router.learning import frontier

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Floats
    from extproc_router.evaluation.outcomes import Outcomes
    from extproc_router.evaluation.resample import Curve, Units
    from extproc_router.evaluation.sweep import Moves

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
    units = resample.units(len(rows), seed)
    prices = costs.mean(axis=0)
    paths = {name: _Path(rows.quality, costs, sweep(predicted, prices), units) for name, predicted in every.items()}
    axis = (float(prices.min()), float(prices.max()))
    sampled = _Rounds(rows, paths, units, axis, (bootstrap, seed))
    oracle_auc = _figures(*paths[ORACLE].exact, axis)[1]
    mean = rows.quality.mean(axis=0)
    oracle_quality = float(rows.quality.max(axis=1).mean())
    return ManyRouting(
        n=len(rows),
        models=[
            Model(
                rows.models[model],
                float(mean[model]),
                resample.interval(sampled.models[model]),
                float(prices[model]) if known else None,
            )
            for model in sorted(range(len(rows.models)), key=lambda model: -mean[model])
        ],
        random=float(rows.quality.mean()),
        oracle_quality=oracle_quality,
        headroom=oracle_quality - float(mean.max()),
        headroom_interval=resample.interval(sampled.headroom),
        strategies={
            name: _mixed(rows, costs if known else None, path, sampled.strategies[name], (axis, float(oracle_auc[0])))
            for name, path in paths.items()
        },
        rounds=len(sampled.headroom),
        rounds_asked=bootstrap,
        seed=seed,
    )


class _Path:
    """A frontier among many models: exact, and ready for rounds."""

    def __init__(self, quality: Floats, costs: Floats, moves: Moves, units: Units) -> None:
        number = np.arange(len(quality))
        walked = frontier.events(
            moves.slope,
            costs[moves.rows, moves.target] - costs[moves.rows, moves.origin],
            quality[moves.rows, moves.target] - quality[moves.rows, moves.origin],
            moves.rows,
        )
        start = (costs[number, moves.start], quality[number, moves.start])
        x, y = frontier.walk(walked, len(quality))
        self.end = moves.end
        self.exact = (start[0].mean() + x[None], start[1].mean() + y[None])
        self._totals = np.stack([units.totals(values) for values in start])
        self._curve: Curve | None = resample.curve(walked, units) if len(moves.rows) else None

    def walk(self, weights: Floats, drawn: Floats) -> tuple[Floats, Floats]:
        """Return (mean cost, mean quality), float64 [rounds, points]."""
        x0, y0 = (self._totals @ weights.T / drawn)[:, :, None]
        if self._curve is None:
            return x0, y0
        x, y = self._curve.walk(weights)
        return x0 + x / drawn[:, None], y0 + y / drawn[:, None]


class _Rounds:
    """What every strategy came to in every round: its quality, that over the best single model, its AUC."""

    def __init__(
        self,
        rows: Outcomes,
        paths: Mapping[str, _Path],
        units: Units,
        axis: tuple[float, float],
        asked: tuple[int, int],
    ) -> None:
        singles = np.stack([units.totals(column) for column in rows.quality.T])
        best, sizes = units.totals(rows.quality.max(axis=1)), units.sizes
        done: list[tuple[Floats, Floats, dict[str, Floats]]] = []
        try:
            for weights in resample.rounds(units, *asked):
                drawn = weights @ sizes
                models = singles @ weights.T / drawn
                single = models.max(axis=0)
                each = {name: _figures(*path.walk(weights, drawn), axis) for name, path in paths.items()}
                done.append(
                    (
                        models,
                        weights @ best / drawn - single,
                        {name: np.stack([end, end - single, auc]) for name, (end, auc) in each.items()},
                    )
                )
        except KeyboardInterrupt:
            pass  # `rounds` says how far it came
        self.models = _joined([chunk[0] for chunk in done], len(rows.models))
        self.headroom = _joined([chunk[1][None] for chunk in done], 1)[0]
        self.strategies = {name: _joined([chunk[2][name] for chunk in done], 3) for name in paths}


def _figures(x: Floats, y: Floats, axis: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return the quality at lambda = 0 and the mean quality over the cost axis, float64 [rounds] each."""
    low, high = axis
    if high <= low:
        return y[:, -1], y[:, -1]
    at = np.clip((x - low) / (high - low), 0.0, 1.0)
    return y[:, -1], at[:, 0] * y[:, 0] + frontier.area(at, y) + (1 - at[:, -1]) * y[:, -1]


def _mixed(
    rows: Outcomes,
    costs: Floats | None,
    path: _Path,
    sampled: Floats,
    reference: tuple[tuple[float, float], float],
) -> Mixed:
    axis, oracle_auc = reference
    number = np.arange(len(rows))
    best = float(rows.quality.mean(axis=0).max())
    shares = np.bincount(path.end, minlength=len(rows.models)) / len(rows)
    x, y = path.exact
    quality, auc = (float(values[0]) for values in _figures(x, y, axis))
    match = float(frontier.first_crossing(x, y, np.array([best]))[0])
    return Mixed(
        quality=quality,
        interval=resample.interval(sampled[0]),
        cost=None if costs is None else float(costs[number, path.end].mean()),
        shares={model: float(share) for model, share in zip(rows.models, shares, strict=True) if share > 0},
        over_best=quality - best,
        over_best_interval=resample.interval(sampled[1]),
        regret=float(rows.quality.max(axis=1).mean()) - quality,
        auc=None if costs is None else auc,
        auc_interval=None if costs is None else resample.interval(sampled[2]),
        oracle_gap=oracle_auc - auc,
        match_cost=None if costs is None or np.isnan(match) else match,
        frontier=frontier.thin(x[0], y[0], POINTS),
    )


def _joined(chunks: list[Floats], height: int) -> Floats:
    return np.concatenate(chunks, axis=1) if chunks else np.empty((height, 0))
