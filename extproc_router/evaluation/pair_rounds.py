"""The bootstrap of a pair of models: what every strategy came to in every round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.evaluation import resample
from extproc_router.learning import frontier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.evaluation.arrays import Flags, Floats
    from extproc_router.evaluation.outcomes import Pair
    from extproc_router.learning.frontier import Events

GRID = np.linspace(0.0, 1.0, 51)
"""Shares at which the bands around the frontiers are taken."""


def figures(x: Floats, y: Floats) -> Floats:
    """Return APGR, CPT(50), CPT(80) and the area of each curve: float64 [4, rounds]."""
    return np.stack([frontier.apgr(x, y), frontier.cpt(x, y, 50), frontier.cpt(x, y, 80), frontier.area(x, y)])


class PairRounds:
    """Runs the rounds. Ctrl-C ends them; whole chunks of rounds stay.

    Args:
        pair: n rows.
        walks: name -> events of a frontier.
        choices: name -> bool [n], rows that a fixed policy sends to the strong model.
        count: rounds.
        seed: of the draws.

    Attributes:
        count: rounds done.
        exact: whether they drew rows.
        weak: float64 [rounds], mean quality.
        strong: likewise.
        oracle: likewise, of the better model of each row.
        figures: name -> float64 [4, rounds]: APGR, CPT(50), CPT(80), mean quality over the share.
        bands: name -> float64 [len(GRID), rounds], quality.
        fixed: name -> float64 [2, rounds]: quality, and quality above a random choice with the same share.
    """

    def __init__(
        self, pair: Pair, walks: Mapping[str, Events], choices: Mapping[str, Flags], count: int, seed: int
    ) -> None:
        units = resample.units(len(pair), seed)
        self.exact = units.of_row is None
        self._curves = {name: resample.curve(walked, units) for name, walked in walks.items()}
        gain = pair.strong - pair.weak
        self._sums = np.stack(
            [units.sizes]
            + [units.totals(values) for values in (pair.weak, pair.strong, np.maximum(pair.weak, pair.strong))]
        )
        self._choices = {
            name: np.stack([units.totals(flags.astype(np.float64)), units.totals(np.where(flags, gain, 0.0))])
            for name, flags in choices.items()
        }
        done = []
        try:
            # Not a comprehension: what is done must outlive Ctrl-C.
            for weights in resample.rounds(units, count, seed):
                done.append(self._round(weights))  # noqa: PERF401 - see above
        except KeyboardInterrupt:
            pass  # `count` says how far it came
        means = _joined([chunk[0] for chunk in done], 3)
        self.count = means.shape[1]
        self.weak, self.strong, self.oracle = means
        self.figures = {name: _joined([chunk[1][name] for chunk in done], 4) for name in walks}
        self.bands = {name: _joined([chunk[2][name] for chunk in done], len(GRID)) for name in walks}
        self.fixed = {name: _joined([chunk[3][name] for chunk in done], 2) for name in choices}

    def _round(self, weights: Floats) -> tuple[Floats, dict[str, Floats], dict[str, Floats], dict[str, Floats]]:
        sums = self._sums @ weights.T
        rows, means = sums[0], sums[1:] / sums[0]
        weak, gap = means[0], means[1] - means[0]
        measured, bands, fixed = {}, {}, {}
        for name, curve in self._curves.items():
            x, y = curve.walk(weights)
            x, y = x / rows[:, None], y / rows[:, None]
            measured[name] = figures(x, y)
            measured[name][3] += weak
            on_grid = [np.interp(GRID, one_x, one_y) for one_x, one_y in zip(x, y, strict=True)]
            bands[name] = np.array(on_grid).T + weak
        for name, totals in self._choices.items():
            share, extra = totals @ weights.T / rows
            fixed[name] = np.stack([weak + extra, extra - share * gap])
        return means, measured, bands, fixed


def _joined(chunks: list[Floats], height: int) -> Floats:
    return np.concatenate(chunks, axis=1) if chunks else np.empty((height, 0))
