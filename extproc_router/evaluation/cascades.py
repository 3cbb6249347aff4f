"""Is a cascade worth it? Routing by prediction, cascading by confidence, and both, on outcomes of two models.

Each round draws the verifier's confidence anew, deals the prompts into two halves, fits the verifier's head and picks
all thresholds on one, and measures on the other. Equal prompts share a half. Predictions must be out of sample.

* routing: prompts of which the prediction says that they need the strong model go there;
* cascade: the weak model answers everything, and what the verifier doubts is escalated;
* cascade + prediction: prompts that need it most go straight to the strong model, the others are cascaded; the head
  sees the prediction, too (Dekoninck et al., A Unified Approach to Routing and Cascading for LLMs, arXiv 2410.10347).

Figures are means over rounds with the range of 95 % of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from extproc_router.bulk.progress import Progress
from extproc_router.errors import StartupError
from extproc_router.evaluation import cascade_fit, cascade_grid, cascade_simulation, strategies
from extproc_router.evaluation.cascade_grid import Rows
from extproc_router.evaluation.resample import interval
from extproc_router.learning import frontier

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Flags, Floats, Ints
    from extproc_router.evaluation.cascade_grid import Effects
    from extproc_router.evaluation.outcomes import Pair

ROUTING, CASCADE, BOTH = "routing", "cascade", "cascade + prediction"
WEAK, STRONG, ORACLE = "always weak", "always strong", "oracle"
AUCS = (0.6, 0.7, 0.8, 0.9)
_FEWEST = 200
_FINE, _COARSE = 100, 10  # thresholds; fewer where there are two, since the best of many pairs is luck
_BUDGETS = 40
_LEAST_ROUNDS = 2


class Figure(Struct, frozen=True):
    """A mean over rounds, and the range of 95 % of them."""

    mean: float
    low: float
    high: float


class Operation(Struct, frozen=True):
    """One way to operate, with the thresholds that should reach the goal at the least cost.

    Attributes:
        quality: mean quality of what is served.
        relative: it, as a share of always-strong's.
        cost: as a share of always-strong's.
        strong: share of prompts that the strong model answers.
        escalated: share of prompts that cost both models.
        recovered: as APGR, over cost in place of calls: the mean share of the quality gap that is recovered, over all
            budgets from always-weak's to always-strong's; None where there is no gap, or nothing to choose.
        reaches: the least cost, as a share of always-strong's, at which the mean quality over rounds reaches the goal,
            free of the luck of one pick; None where it never does, or there is nothing to choose.
    """

    quality: Figure
    relative: Figure
    cost: Figure
    strong: Figure
    escalated: Figure
    recovered: Figure | None
    reaches: float | None


class Sensitivity(Struct, frozen=True):
    """The same where the verifier is worse than assumed.

    Attributes:
        auc: of the log-probabilities.
        separation: of the simulation, 1 as assumed.
        operations: by name.
        ahead: how much more `BOTH` recovers than the better one of `ROUTING` and `CASCADE`; None where there is no gap.
    """

    auc: float
    separation: float
    operations: dict[str, Operation]
    ahead: Figure | None


class Cascades(Struct, frozen=True):
    """All figures.

    Attributes:
        n: prompts.
        weak: the cheaper model.
        strong: the dearer one.
        price: what the weak model costs, as a share of the strong one.
        predictor: what predicts.
        goal: share of always-strong's quality that is aimed at.
        rounds: how many.
        seed: of them.
        assumed: figures under the assumption.
        sensitivity: figures at other AUCs, the lowest first.
        curves: name -> (cost as a share of always-strong, quality) pairs under the assumption.
    """

    n: int
    weak: str
    strong: str
    price: float
    predictor: str
    goal: float
    rounds: int
    seed: int
    assumed: Sensitivity
    sensitivity: tuple[Sensitivity, ...]
    curves: dict[str, list[tuple[float, float]]]


def evaluate(pair: Pair, need: Floats, *, predictor: str, goal: float, rounds: int, seed: int) -> Cascades:
    """Compare.

    Args:
        pair: outcomes with costs; scores in [0, 1].
        need: float64 [n], the prediction, higher where the strong model is needed more.
        predictor: its name.
        goal: share of always-strong's quality, in (0, 1).
        rounds: how many, at least 2.
        seed: of all draws.

    Raises:
        StartupError: costs are unknown, scores lie outside [0, 1], or there are too few rows.
    """
    if pair.costs is None:
        raise StartupError("a cascade is about costs: give `costs` in the rows, or --prices")
    if rounds < _LEAST_ROUNDS:
        raise StartupError("one round shows no range")
    if len(pair) < _FEWEST:
        raise StartupError(f"{len(pair)} rows are too few to pick on one half and measure on the other: {_FEWEST}")
    if min(pair.weak.min(), pair.strong.min()) < 0 or max(pair.weak.max(), pair.strong.max()) > 1:
        raise StartupError("scores must be in [0, 1]: the verifier's confidence is drawn from how good an answer is")
    if not 0 < pair.costs[:, 0].sum() < pair.costs[:, 1].sum():
        raise StartupError("the weak model must cost something, and less than the strong one")
    rows = Rows(need, np.zeros(len(pair)), pair.weak, pair.strong, pair.costs)
    study = _Study(rows, pair.outcomes.keys, goal, rounds, seed)
    with Progress("rounds", rounds * (1 + len(AUCS))) as progress:
        assumed, curves = study.run(1.0, progress)
        others = [study.run(cascade_simulation.separation_of(auc), progress)[0] for auc in AUCS]
    costs = pair.costs.mean(axis=0)
    return Cascades(
        n=len(pair),
        weak=pair.weak_model,
        strong=pair.strong_model,
        price=float(costs[0] / costs[1]),
        predictor=predictor,
        goal=goal,
        rounds=rounds,
        seed=seed,
        assumed=assumed,
        sensitivity=tuple(others),
        curves=curves,
    )


class _Study:
    """The rounds."""

    def __init__(self, rows: Rows, keys: Ints, goal: float, rounds: int, seed: int) -> None:
        self._rows, self._keys, self._goal, self._rounds, self._seed = rows, keys, goal, rounds, seed
        weak, strong = rows.costs.mean(axis=0)
        self._budgets = np.linspace(weak / strong, 1.0, _BUDGETS + 1)

    def run(self, separation: float, progress: Progress) -> tuple[Sensitivity, dict[str, list[tuple[float, float]]]]:
        """Return the figures at a separation, and the curves."""
        points: dict[str, list[list[float]]] = {}
        walks: dict[str, list[Floats]] = {}
        for number in range(self._rounds):
            for name, (point, walk) in self._round(separation, number).items():
                points.setdefault(name, []).append(point)
                if walk is not None:
                    walks.setdefault(name, []).append(walk)
            progress.step()
        table = {name: np.array(found) for name, found in points.items()}
        curves = {name: np.array(found) for name, found in walks.items()}
        weak, strong = table[WEAK][:, 0], table[STRONG][:, 0]
        recovered = {name: _recovered(curve[:, :, 1], weak, strong) for name, curve in curves.items()}
        operations = {
            name: _operation(found, recovered.get(name), curves.get(name), self._goal * float(strong.mean()))
            for name, found in table.items()
        }
        return (
            Sensitivity(cascade_simulation.auc(separation), separation, operations, _ahead(recovered)),
            {name: [(float(x), float(y)) for x, y in curve.mean(axis=0)] for name, curve in curves.items()},
        )

    def _round(self, separation: float, number: int) -> dict[str, tuple[list[float], Floats | None]]:
        generator = np.random.default_rng([self._seed, number])
        logprobs = cascade_simulation.mean_logprobs(self._rows.weak, separation, generator)
        known = strategies.fold_of(self._keys, 2, self._seed * 1_000_003 + number) == 0
        need = self._rows.need
        alone = self._judged(logprobs[:, None], known)
        both = self._judged(np.stack([logprobs, need], axis=1), known)
        nobody, everybody = np.array([np.inf]), np.array([-np.inf])
        found = {
            ROUTING: self._measure(self._rows, known, cascade_grid.cuts(need[known], _FINE), everybody),
            CASCADE: self._measure(alone, known, nobody, cascade_grid.cuts(alone.good[known], _FINE)),
            BOTH: self._measure(
                both,
                known,
                cascade_grid.cuts(need[known], _COARSE),
                cascade_grid.cuts(both.good[known], _FINE),
            ),
        }
        return {**self._fixed(_taken(self._rows, ~known)), **found}

    def _judged(self, columns: Floats, known: Flags) -> Rows:
        """Fit the head on one half and ask it about all."""
        fitted = cascade_fit.fit(columns[known], self._rows.weak[known])
        return replace(self._rows, good=cascade_fit.apply(fitted, columns))

    def _measure(
        self, rows: Rows, known: Flags, direct_from: Floats, accept_from: Floats
    ) -> tuple[list[float], Floats]:
        here, there = _taken(rows, known), _taken(rows, ~known)
        picked = cascade_grid.effects(here, direct_from, accept_from)
        seen = cascade_grid.effects(there, direct_from, accept_from)
        place = cascade_grid.cheapest(picked, self._goal * here.strong.mean())
        # Out of reach: as far as one can go.
        place = cascade_grid.best(picked, np.inf) if place is None else place
        walk = [self._at_budget(picked, seen, here, there, budget) for budget in self._budgets]
        return _point(seen, place or (0, 0), there), np.array(walk)

    @staticmethod
    def _at_budget(picked: Effects, seen: Effects, here: Rows, there: Rows, budget: float) -> tuple[float, float]:
        """Return what is spent, as a share of always-strong's, and the quality."""
        always = float(there.costs[:, 1].mean())
        place = cascade_grid.best(picked, budget * float(here.costs[:, 1].mean()))
        if place is None:
            return float(there.costs[:, 0].mean()) / always, float(there.weak.mean())
        return float(seen.cost[place]) / always, float(seen.quality[place])

    @staticmethod
    def _fixed(rows: Rows) -> dict[str, tuple[list[float], None]]:
        better = rows.strong > rows.weak
        strong, cost = rows.strong.mean(), rows.costs.mean(axis=0)
        ideal = np.where(better, rows.costs[:, 1], rows.costs[:, 0]).mean()
        quality = np.maximum(rows.strong, rows.weak).mean()
        return {
            WEAK: (_numbers(rows.weak.mean(), strong, cost[0] / cost[1], 0.0, 0.0), None),
            STRONG: (_numbers(strong, strong, 1.0, 1.0, 0.0), None),
            ORACLE: (_numbers(quality, strong, ideal / cost[1], better.mean(), 0.0), None),
        }


def _taken(rows: Rows, index: Flags) -> Rows:
    return Rows(rows.need[index], rows.good[index], rows.weak[index], rows.strong[index], rows.costs[index])


def _point(seen: Effects, place: tuple[int, int], rows: Rows) -> list[float]:
    escalated = seen.escalated[place]
    return _numbers(
        seen.quality[place],
        rows.strong.mean(),
        seen.cost[place] / rows.costs[:, 1].mean(),
        seen.direct[place] + escalated,
        escalated,
    )


def _numbers(quality: float, strong: float, cost: float, share: float, escalated: float) -> list[float]:
    """In the order of `Operation`."""
    return [float(quality), float(quality / strong), float(cost), float(share), float(escalated)]


def _recovered(quality: Floats, weak: Floats, strong: Floats) -> Floats | None:
    """Return the mean share of the gap that is recovered, float64 [rounds], from quality at each budget."""
    gap = strong - weak
    if not (gap > 0).all():
        return None
    parts = (quality - weak[:, None]) / gap[:, None]
    mean: Floats = (parts[:, 1:] + parts[:, :-1]).mean(axis=1) / 2
    return mean


def _ahead(recovered: dict[str, Floats | None]) -> Figure | None:
    routing, cascade, both = (recovered[name] for name in (ROUTING, CASCADE, BOTH))
    if routing is None or cascade is None or both is None:
        return None
    better = routing if routing.mean() > cascade.mean() else cascade
    return _figure(both - better)


def _operation(points: Floats, recovered: Floats | None, curves: Floats | None, goal: float) -> Operation:
    quality, relative, cost, strong, escalated = map(_figure, points.T)
    reaches = None
    if curves is not None:
        x, y = curves.mean(axis=0).T
        crossing = float(frontier.first_crossing(x[None], y[None], np.array([goal]))[0])
        reaches = crossing if np.isfinite(crossing) else None
    return Operation(
        quality, relative, cost, strong, escalated, None if recovered is None else _figure(recovered), reaches
    )


def _figure(values: Floats) -> Figure:
    low, high = interval(values) or (float("nan"), float("nan"))
    return Figure(float(values.mean()), low, high)
