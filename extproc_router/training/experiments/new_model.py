"""How few labels place a new model: leave one model out, place it from few, compare with all of the data.

For each model M in turn, a factorisation is fitted to the other models on the training questions; M is placed by
labels of a few training prompts from each cluster (`learning.placing`), and the test questions are routed between M and
each other model whose mean quality is at least `MIN_GAP` away. "Full" is the factorisation of all models, M included,
on all training questions. The figure of M is its mean APGR over those pairs, less that of "full".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from msgspec import Struct

from extproc_router.learning import base, crossfit, placing

if TYPE_CHECKING:
    from extproc_router.learning.base import Features, Floats, Index, Outcomes
    from extproc_router.learning.strategies.factorisation import Factorisation, FittedFactorisation

Apgr: TypeAlias = Callable[["Floats", "Floats"], float]
"""(score, gain of the strong model), float64 [n] each -> APGR."""

MIN_GAP = 0.1
_TEST_FOLDS, _FOLDS = 3, 10


class Design(Struct, frozen=True):
    """What is tried.

    Attributes:
        clusters: of prompts.
        labels: from each cluster; 0 places a model by what the others are like.
        draws: how often the prompts to label are drawn anew.
        seed: of the split, the fits and the draws.
    """

    clusters: int = 14
    labels: tuple[int, ...] = (0, 1, 2, 5, 10, 20)
    draws: int = 3
    seed: int = 0


class Placed(Struct, frozen=True):
    """One model's figures.

    Attributes:
        model: its name.
        pairs: how many others it was routed against.
        full: mean APGR of the factorisation of everything.
        placed: labels from each cluster -> mean APGR, of each draw.
        everything: mean APGR where it was placed by all training labels.
    """

    model: str
    pairs: int
    full: float
    placed: Mapping[int, tuple[float, ...]]
    everything: float


def run(
    outcomes: Outcomes,
    features: Features,
    strategy: Factorisation,
    design: Design,
    *,
    apgr: Apgr,
    after_each: Callable[[], None],
) -> list[Placed]:
    """Run it.

    Args:
        outcomes: of many models; a test row counts where both models of a pair were tried.
        features: of the same prompts.
        strategy: what is fitted.
        design: what is tried.
        apgr: how routing is measured.
        after_each: is called after each model.

    Returns:
        One entry for each model with a pair, in the order of the models.
    """
    test = crossfit.deal(outcomes.groups, _FOLDS, design.seed) < _TEST_FOLDS
    trained, seen = outcomes.take(~test), features.take(~test)
    bench = _Bench(outcomes.take(test), features.take(test), apgr)
    full = strategy.fit(trained, seen, design.seed)
    placed = []
    for model in outcomes.models:
        others = bench.others(model)
        if others:
            rest = strategy.fit(trained.drop(model), seen, design.seed)
            placed.append(
                _place(
                    model,
                    others=others,
                    rest=rest,
                    full=full,
                    trained=trained,
                    seen=seen,
                    bench=bench,
                    design=design,
                )
            )
        after_each()
    return placed


def summarise(placed: list[Placed], within: float) -> list[tuple[int, float, float, int, int]]:
    """Sum up by labels from each cluster.

    Returns:
        (labels, mean APGR less full, least of a model's, models within `within` of full, models); a model's figure is
        the mean of its draws.
    """
    rows = []
    for labels in placed[0].placed if placed else ():
        gaps = np.array([np.mean(entry.placed[labels]) - entry.full for entry in placed])
        rows.append((labels, float(gaps.mean()), float(gaps.min()), int((gaps >= -within).sum()), len(gaps)))
    return rows


def _place(
    model: str,
    *,
    others: list[str],
    rest: FittedFactorisation,
    full: FittedFactorisation,
    trained: Outcomes,
    seen: Features,
    bench: _Bench,
    design: Design,
) -> Placed:
    answers = trained.quality[:, trained.models.index(model)]
    labelled = np.flatnonzero(np.isfinite(answers))

    def measure(rows: Index) -> float:
        fitted = placing.place(rest, model, seen.take(rows), answers[rows])
        return bench.measure(fitted, model, others)

    def draw(labels: int, number: int) -> Index:
        near = seen.embeddings[labelled]
        seed = design.seed + number
        return labelled[placing.choose_prompts(near, count=design.clusters, each=labels, seed=seed)]

    return Placed(
        model=model,
        pairs=len(others),
        full=bench.measure(full, model, others),
        placed={
            labels: tuple(measure(draw(labels, number)) for number in range(design.draws if labels else 1))
            for labels in design.labels
        },
        everything=measure(labelled),
    )


class _Bench:
    """The test questions, and how well a factorisation routes them."""

    def __init__(self, outcomes: Outcomes, features: Features, apgr: Apgr) -> None:
        self._outcomes, self._features, self._apgr = outcomes, features, apgr
        self._means = dict(zip(outcomes.models, np.nanmean(outcomes.quality, axis=0).tolist(), strict=True))

    def others(self, model: str) -> list[str]:
        """The models far enough away in mean quality."""
        return [other for other, mean in self._means.items() if abs(mean - self._means[model]) >= MIN_GAP]

    def measure(self, fitted: FittedFactorisation, model: str, others: list[str]) -> float:
        """Mean APGR of routing between a model and each of the others."""
        quality = fitted.quality(self._features)
        return float(np.mean([self._measure(quality, fitted, model, other) for other in others]))

    def _measure(self, quality: Floats, fitted: FittedFactorisation, model: str, other: str) -> float:
        weak, strong = sorted((model, other), key=self._means.__getitem__)
        columns = [self._outcomes.models.index(name) for name in (strong, weak)]
        answers = self._outcomes.quality[:, columns]
        both = np.isfinite(answers).all(axis=1)
        score = base.need(quality, fitted.models.index(strong), fitted.models.index(weak))
        return self._apgr(score[both], (answers[:, 0] - answers[:, 1])[both])
