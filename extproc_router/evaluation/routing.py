"""How well strategies route between a weak and a strong model, beside what costs nothing to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from extproc_router.errors import StartupError
from extproc_router.evaluation import outcomes, resample
from extproc_router.evaluation.arrays import Floats
from extproc_router.evaluation.findings import Comparison, CostHistogram, Fixed, Group, Model, Point, Ranked, Routing
from extproc_router.evaluation.pair_rounds import GRID, PairRounds, figures
from extproc_router.evaluation.strategies import BASELINES, ORACLE, RANDOM, score
from extproc_router.learning import frontier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.evaluation.arrays import Flags
    from extproc_router.evaluation.outcomes import Outcomes, Pair
    from extproc_router.learning.frontier import Events

ALWAYS_WEAK, ALWAYS_STRONG, BEST_SINGLE = "always-weak", "always-strong", "best-single"
POINTS = 501
GROUPS = 60
_COST_BINS = 30
_PGR_LEVELS = (50, 80, 95)


class _Curve(Struct, frozen=True):
    """A frontier of the data as they are: float64 [groups + 1] each, cost None where unknown."""

    share: Floats
    quality: Floats
    cost: Floats | None

    def at(self, share: float) -> Point:
        cost = None if self.cost is None else float(np.interp(share, self.share, self.cost))
        return Point(share, float(np.interp(share, self.share, self.quality)), cost)


def evaluate(
    rows: Outcomes,
    strategies: Mapping[str, Floats],
    *,
    strong: str,
    weak: str,
    fixed: Mapping[str, Flags] | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Routing:
    """Measure strategies on a pair of models.

    Args:
        rows: outcomes; rows on which one of the pair was not tried are left out.
        strategies: name -> float64 [len(rows)], one score per row; the higher, the more the strong model is needed.
            Rows with equal scores move together. The baselines and the oracle are added where they are not given.
        strong: its name.
        weak: its name.
        fixed: name -> bool [len(rows)], policies without a threshold: which rows they send to the strong model.
        bootstrap: rounds; 0 gives no intervals. Ctrl-C ends them early, and the result says so.
        seed: of the rounds and of the folds of cross-validated baselines.

    Returns:
        Every figure of every strategy, with 95 % percentile intervals that are paired across strategies. The scores
        are taken as given: an interval holds the luck of the rows, not that of a fit.

    Raises:
        StartupError: a model does not occur, no row has both, or scores have another length or hold NaN.
    """
    fixed = fixed or {}
    _check(rows, strategies, fixed)
    pair = outcomes.pair(rows, weak=weak, strong=strong)
    both = np.isfinite(rows.quality[:, [rows.models.index(weak), rows.models.index(strong)]]).all(axis=1)
    scores = {**score((), pair, seed=seed), **{name: given[both] for name, given in strategies.items()}}
    gain = pair.strong - pair.weak
    choices = {
        ALWAYS_WEAK: np.zeros(len(pair), dtype=np.bool_),
        ALWAYS_STRONG: np.ones(len(pair), dtype=np.bool_),
        BEST_SINGLE: np.full(len(pair), gain.mean() > 0),
        **{name: flags[both] for name, flags in fixed.items()},
    }
    walks = {name: frontier.events(key, np.ones(len(pair)), gain) for name, key in scores.items()}
    sampled = PairRounds(pair, walks, choices, bootstrap, seed)
    best = float(np.maximum(pair.weak, pair.strong).mean())
    ranked = {name: _rank(pair, walked, best, sampled, name) for name, walked in walks.items()}
    weak_model, strong_model = _model(pair, 0, sampled.weak), _model(pair, 1, sampled.strong)
    return Routing(
        n=len(pair),
        weak=weak_model,
        strong=strong_model,
        gap=float(gain.mean()),
        gap_interval=resample.interval(sampled.strong - sampled.weak),
        oracle_quality=best,
        headroom=best - max(weak_model.quality, strong_model.quality),
        headroom_interval=resample.interval(sampled.oracle - np.maximum(sampled.weak, sampled.strong)),
        strategies={name: _compare(name, ranked, sampled) for name in ranked},
        fixed={name: _fix(pair, flags, best, sampled.fixed[name]) for name, flags in choices.items()},
        groups=_groups(pair),
        costs=_cost_histogram(pair),
        rounds=sampled.count,
        rounds_asked=bootstrap,
        seed=seed,
        exact_rounds=sampled.exact,
    )


def _check(rows: Outcomes, strategies: Mapping[str, Floats], fixed: Mapping[str, Flags]) -> None:
    for name, given in (*strategies.items(), *fixed.items()):
        if given.shape != (len(rows),):
            raise StartupError(f"strategy {name}: scores of shape {given.shape} for {len(rows)} rows")
        if not np.isfinite(given).all():
            raise StartupError(f"strategy {name}: a score is not a number")


def _rank(pair: Pair, walked: Events, best: float, sampled: PairRounds, name: str) -> Ranked:
    """Measure one strategy; what needs the others is still open."""
    weak = float(pair.weak.mean())
    share, gained = frontier.walk(walked, len(pair))
    curve = _Curve(share, weak + gained, _cost(pair, walked))
    apgr, cpt50, cpt80, area = (_known(value) for value in figures(share[None], gained[None])[:, 0])
    intervals = [resample.interval(values) for values in sampled.figures[name]]
    reached = {level: _known(frontier.cpt(share[None], gained[None], level)[0]) for level in _PGR_LEVELS}
    peak = int(gained.argmax())
    bands = zip(GRID.tolist(), sampled.bands[name], strict=True)
    return Ranked(
        apgr=apgr,
        apgr_interval=intervals[0],
        cpt50=cpt50,
        cpt50_interval=intervals[1],
        cpt80=cpt80,
        cpt80_interval=intervals[2],
        oracle_gap=None,
        auc=weak + (area or 0.0),
        auc_interval=intervals[3],
        regret=best - float(curve.quality[peak]),
        peak=curve.at(float(share[peak])),
        points={f"pgr{level}": curve.at(at / 100) for level, at in reached.items() if at is not None},
        frontier=frontier.thin(share, curve.quality, POINTS),
        frontier_costs=None if curve.cost is None else [cost for _, cost in frontier.thin(share, curve.cost, POINTS)],
        band=[(at, *bounds) for at, values in bands if (bounds := resample.interval(values))],
        against={},
    )


def _compare(name: str, ranked: Mapping[str, Ranked], sampled: PairRounds) -> Ranked:
    """Fill in how a strategy stands to the oracle and to the baselines."""
    mine, oracle = ranked[name].apgr, ranked[ORACLE].apgr
    if mine is None or oracle is None:
        return ranked[name]
    against = {
        other: Comparison(mine - theirs, resample.interval(sampled.figures[name][0] - sampled.figures[other][0]))
        for other in BASELINES
        if other != name and name not in (ORACLE, RANDOM) and (theirs := ranked[other].apgr) is not None
    }
    return replace(ranked[name], oracle_gap=oracle - mine, against=against)


def _fix(pair: Pair, flags: Flags, best: float, rounds: Floats) -> Fixed:
    gain = pair.strong - pair.weak
    share, extra = float(flags.mean()), float(np.where(flags, gain, 0.0).mean())
    quality = float(pair.weak.mean()) + extra
    cost = None if pair.costs is None else float(np.where(flags, pair.costs[:, 1], pair.costs[:, 0]).mean())
    return Fixed(
        point=Point(share, quality, cost),
        interval=resample.interval(rounds[0]),
        regret=best - quality,
        over_random=extra - share * float(gain.mean()),
        over_random_interval=resample.interval(rounds[1]),
    )


def _model(pair: Pair, column: int, rounds: Floats) -> Model:
    name, quality = ((pair.weak_model, pair.weak), (pair.strong_model, pair.strong))[column]
    cost = None if pair.costs is None else float(pair.costs[:, column].mean())
    return Model(name, float(quality.mean()), resample.interval(rounds), cost)


def _cost(pair: Pair, walked: Events) -> Floats | None:
    """Mean cost per request at each cut point."""
    if pair.costs is None:
        return None
    extra = (pair.costs[:, 1] - pair.costs[:, 0])[walked.rows]
    sums: Floats = np.concatenate([[0.0], np.cumsum(extra)[walked.ends]])
    return float(pair.costs[:, 0].mean()) + sums / len(pair)


def _groups(pair: Pair) -> list[Group]:
    if len(pair.outcomes.group_names) < 2:  # noqa: PLR2004 - one group is the whole
        return []
    codes = pair.outcomes.groups
    counts = np.bincount(codes, minlength=len(pair.outcomes.group_names))
    means = [
        np.bincount(codes, weights=values, minlength=len(counts)) / np.maximum(counts, 1)
        for values in (pair.weak, pair.strong, np.maximum(pair.weak, pair.strong))
    ]
    return [
        Group(pair.outcomes.group_names[at] or "(none)", int(counts[at]), *(float(mean[at]) for mean in means))
        for at in np.argsort(-counts, kind="stable")[:GROUPS]
        if counts[at]
    ]


def _cost_histogram(pair: Pair) -> CostHistogram | None:
    if pair.costs is None:
        return None
    edges = np.histogram_bin_edges(pair.costs, bins=_COST_BINS)
    weak, strong = (np.histogram(column, bins=edges)[0] for column in pair.costs.T)
    return CostHistogram(edges.tolist(), weak.tolist(), strong.tolist())


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
