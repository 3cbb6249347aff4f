"""From a goal to a threshold, and to what the threshold will do on requests that are not in the sample.

The rule is `score >= threshold -> strong`. The expected range comes from a double bootstrap: each round draws a sample,
picks the threshold on it by the same goal, and applies it to a second draw, of new requests. So it holds the luck of
the sample, the luck of the traffic, and the optimism of picking the best cut on the rows that it is judged on. What it
cannot hold is traffic that differs from the sample; `drift` looks for that.

Above `EXACT_ROWS` rows, a round picks its threshold on that many. What the sample's size accounts for is then scaled by
sqrt(EXACT_ROWS / rows), the rate at which a quantile's spread falls; the luck of the traffic is left as it is.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from msgspec import Struct

from extproc_router.bulk.progress import Progress
from extproc_router.errors import StartupError
from extproc_router.evaluation.arrays import Flags, Floats, Index
from extproc_router.evaluation.findings import Interval
from extproc_router.evaluation.resample import EXACT_ROWS, interval

FEWEST_ROWS = 50
FEWEST_ROUNDS = 100  # fewer do not show a 95 % range
_ROUNDING = 1e-12  # sums of thousands of floats miss a round goal by less


class Goal(StrEnum):
    """What the threshold shall reach."""

    STRONG_SHARE = "strong_share"  # this share of calls to the strong model, as near as the cut points allow
    QUALITY = "quality"  # this share of the strong model's quality, with as few strong calls as possible
    SAVINGS = "savings"  # this much less cost than always-strong, with as many strong calls as possible


class Sample(Struct, frozen=True):
    """n scored prompts, with what is known of them.

    Attributes:
        score: float64 [n], higher where the strong model is needed more.
        quality: float64 [n, 2], of weak and strong; None where unknown.
        cost: float64 [n, 2], of weak and strong; None where unknown.
        always: float64 [n], what always-strong costs, where a row that goes to the strong model costs more than that
            because the weak one was asked first; None where `cost` says it.
    """

    score: Floats
    quality: Floats | None
    cost: Floats | None
    always: Floats | None = None


class Effect(Struct, frozen=True):
    """What a threshold does; None where the sample does not say.

    Attributes:
        share: of calls to the strong model.
        quality: as a share of the strong model's.
        savings: cost less than always-strong's, as a share of it.
    """

    share: float
    quality: float | None
    savings: float | None


class Expected(Struct, frozen=True):
    """95 % ranges of an `Effect` on new requests."""

    share: Interval
    quality: Interval | None
    savings: Interval | None


class Calibration(Struct, frozen=True):
    """A threshold and what to expect of it.

    Attributes:
        sample: what it does on the sample itself.
        expected: what it will do on `requests` new requests.
        margin: half width of the range that the sample's size alone accounts for.
    """

    n: int
    goal: Goal
    value: float
    threshold: float
    sample: Effect
    expected: Expected
    requests: int
    margin: float
    rounds: int
    rounds_asked: int
    seed: int


def calibrate(
    sample: Sample,
    goal: Goal,
    value: float,
    *,
    tolerance: float = 0.05,
    requests: int = 10_000,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Pick a threshold.

    Args:
        sample: the user's own prompts.
        goal: what to reach.
        value: how much of it, in (0, 1).
        tolerance: half width of the range of the goal's figure that is still good enough.
        requests: how many new requests the expected range is for.
        bootstrap: rounds, at least 100; Ctrl-C ends them early, and the result says so.
        seed: of the rounds.

    Raises:
        StartupError: the sample lacks what the goal needs, or no threshold comes within the tolerance of it; fewer
            than 100 rounds were done; or the sample is too small, and the message says how many rows are needed.
    """
    _check(sample, goal)
    cuts = _Cuts(sample)
    best = cuts.pick(goal, value, cuts.sums(np.arange(cuts.rows)))
    if best is None:
        raise StartupError(_out_of_reach(goal, value, cuts))
    here = cuts.effect(best, np.arange(cuts.rows))
    if goal is Goal.STRONG_SHARE and abs(here.share - value) > tolerance + _ROUNDING:
        raise StartupError(
            f"no threshold gives a strong share of {value:g} on this sample: the nearest gives {here.share:.4f}, "
            "because rows with equal scores go together"
        )
    estimated, seen = _rounds(cuts, (goal, value), requests, bootstrap, seed)
    if seen.shape[1] < FEWEST_ROUNDS:
        raise StartupError(
            f"{seen.shape[1]} of {bootstrap} bootstrap rounds were done; a range needs {FEWEST_ROUNDS} or more"
        )
    estimated, seen = _scaled(estimated, seen, here, cuts.rows)
    place = list(Goal).index(goal)
    margin = _half_width(estimated[place])
    if margin > tolerance or cuts.rows < FEWEST_ROWS:
        needed = max(FEWEST_ROWS, math.ceil(cuts.rows * (margin / tolerance) ** 2))
        raise StartupError(
            f"{cuts.rows} rows are too few: the {goal.value.replace('_', ' ')} that this threshold gives is known to "
            f"+-{margin:.3f} only. About {needed:,} rows are needed for +-{tolerance:g}; or allow more with --tolerance"
        )
    ranges = [interval(values) for values in seen]
    if ranges[0] is None:
        raise StartupError("no bootstrap round was finished")
    return Calibration(
        n=cuts.rows,
        goal=goal,
        value=value,
        threshold=cuts.threshold(best),
        sample=here,
        expected=Expected(ranges[0], ranges[1], ranges[2]),
        requests=requests,
        margin=margin,
        rounds=seen.shape[1],
        rounds_asked=bootstrap,
        seed=seed,
    )


def _check(sample: Sample, goal: Goal) -> None:
    if not np.isfinite(sample.score).all():
        raise StartupError("a score is not a number")
    if goal is Goal.QUALITY and sample.quality is None:
        raise StartupError("a quality goal needs the outcomes of both models: --strong and --weak")
    if goal is Goal.SAVINGS and sample.cost is None:
        raise StartupError("a savings goal needs costs of both models: `costs` in the rows, or --prices")


class _Cuts:
    """The cut points of a sample; cut k sends the k highest groups of equal scores to the strong model."""

    def __init__(self, sample: Sample) -> None:
        self.rows = len(sample.score)
        self._scores, group = np.unique(-sample.score, return_inverse=True)
        self.last = len(self._scores)
        self._group: Index = group.astype(np.intp)
        self._sample = sample

    def sums(self, rows: Index) -> list[Floats | None]:
        """Return share, quality and savings (see `Effect`) at every cut, float64 [groups + 1], for the drawn rows."""
        group, count = self._group[rows], len(self._scores)
        share = self._walk(np.bincount(group, minlength=count)) / len(rows)
        quality = savings = None
        if self._sample.quality is not None:
            weak, strong = self._sample.quality[rows].T
            total = strong.sum()
            gained = weak.sum() + self._walk(np.bincount(group, weights=strong - weak, minlength=count))
            quality = gained / total if total > 0 else np.full(count + 1, np.nan)
        if self._sample.cost is not None:
            weak, strong = self._sample.cost[rows].T
            total = self._reference(self._sample.cost, rows).sum()
            spent = weak.sum() + self._walk(np.bincount(group, weights=strong - weak, minlength=count))
            savings = 1 - spent / total if total > 0 else np.full(count + 1, np.nan)
        return [share, quality, savings]

    def pick(self, goal: Goal, value: float, sums: list[Floats | None]) -> int | None:
        """Return the cut that meets the goal; None where none does."""
        share, quality, savings = sums
        if goal is Goal.STRONG_SHARE and share is not None:
            return int(np.abs(share - value).argmin())
        if goal is Goal.QUALITY and quality is not None:
            reached = np.flatnonzero(quality >= value - _ROUNDING)
            return int(reached[0]) if len(reached) else None
        reached = np.flatnonzero(savings >= value - _ROUNDING) if savings is not None else np.empty(0, np.intp)
        return int(reached[-1]) if len(reached) else None

    def effect(self, cut: int, rows: Index) -> Effect:
        """Return what a cut does to the drawn rows."""
        strong = self._group[rows] < cut
        quality = self._part(self._sample.quality, rows, strong)
        cost = self._part(self._sample.cost, rows, strong)
        return Effect(float(strong.mean()), quality, None if cost is None else 1 - cost)

    def threshold(self, cut: int) -> float:
        """Return a number between the lowest score above the cut and the highest below it."""
        scores = -self._scores
        if cut == 0:
            return float(np.nextafter(scores[0], np.inf))
        if cut == len(scores):
            return float(scores[-1])
        above, below = float(scores[cut - 1]), float(scores[cut])
        middle = above / 2 + below / 2
        return middle if below < middle <= above else above

    def _walk(self, steps: Floats | Index) -> Floats:
        sums: Floats = np.concatenate([[0.0], np.cumsum(steps)])
        return sums

    def _part(self, values: Floats | None, rows: Index, strong: Flags) -> float | None:
        if values is None:
            return None
        drawn = values[rows]
        total = self._reference(values, rows).sum()
        return float(np.where(strong, drawn[:, 1], drawn[:, 0]).sum() / total) if total > 0 else None

    def _reference(self, values: Floats, rows: Index) -> Floats:
        """Return always-strong's values."""
        always = self._sample.always if values is self._sample.cost else None
        return values[rows, 1] if always is None else always[rows]


def _rounds(cuts: _Cuts, aim: tuple[Goal, float], requests: int, count: int, seed: int) -> tuple[Floats, Floats]:
    """Return effects of re-picked cuts on the whole sample and on new requests, float64 [3, rounds] each."""
    generator = np.random.default_rng([seed, 3])
    size, everything = min(cuts.rows, EXACT_ROWS), np.arange(cuts.rows)
    estimated: list[Effect] = []
    seen: list[Effect] = []
    try:
        with Progress("bootstrap", count) as progress:
            for _ in progress.over(range(count)):
                cut = cuts.pick(*aim, cuts.sums(generator.integers(cuts.rows, size=size)))
                if cut is None:  # out of reach in this draw: as far as one can go
                    cut = cuts.last if aim[0] is Goal.QUALITY else 0
                new = cuts.effect(cut, generator.integers(cuts.rows, size=requests))
                estimated.append(cuts.effect(cut, everything))
                seen.append(new)
    except KeyboardInterrupt:
        pass  # `rounds` says how far it came
    return _columns(estimated[: len(seen)]), _columns(seen)


def _scaled(estimated: Floats, seen: Floats, here: Effect, rows: int) -> tuple[Floats, Floats]:
    """Shrink what the sample's size accounts for, where rounds drew fewer rows than there are."""
    if rows <= EXACT_ROWS:
        return estimated, seen
    centre = _columns([here])
    narrow = centre + (estimated - centre) * math.sqrt(EXACT_ROWS / rows)
    return narrow, seen - estimated + narrow


def _columns(effects: list[Effect]) -> Floats:
    rows = [
        [math.nan if value is None else value for value in (effect.share, effect.quality, effect.savings)]
        for effect in effects
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3).T


def _half_width(values: Floats) -> float:
    bounds = interval(values)
    return math.inf if bounds is None else (bounds[1] - bounds[0]) / 2


def _out_of_reach(goal: Goal, value: float, cuts: _Cuts) -> str:
    _, quality, savings = cuts.sums(np.arange(cuts.rows))
    reachable = quality if goal is Goal.QUALITY else savings
    best = math.nan if reachable is None else float(np.max(reachable))
    return f"no threshold reaches {goal.value} {value:g} on this sample; the most is {best:.4f}"
