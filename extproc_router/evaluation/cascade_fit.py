"""The verifier's weights from judged answers: logistic regression of how good an answer was on what was seen of it.

A ridge of one on standardised columns, that is a standard normal prior on what one standard deviation changes in the
logit; the intercept is free. Answers with a hard sign are left out: they never get to the head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.errors import StartupError
from extproc_router.evaluation.cascade_rows import COLUMNS
from extproc_router.learning import crossfit, frontier, lbfgs, logistic

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Floats
    from extproc_router.evaluation.cascade_rows import Judged

FEWEST = 50
FOLDS = 5
_ITERATIONS = 200
_DIGITS = 4  # of written weights
_ROUNDING = 1e-9  # the spread of a column that is constant but for rounding, as a share of its mean


def fit(terms: Floats, weak: Floats) -> Floats:
    """Fit intercept and weights.

    Args:
        terms: float64 [n, k].
        weak: float64 [n], in [0, 1].

    Returns:
        float64 [k + 1], the intercept first; a column that does not vary has weight 0.
    """
    means, spread = terms.mean(axis=0), terms.std(axis=0)
    varies = spread > _ROUNDING * np.maximum(1.0, np.abs(means))
    columns = np.divide(terms - means, spread, out=np.zeros_like(terms), where=varies)
    targets, tried = weak[:, None], np.ones((len(weak), 1), dtype=np.bool_)

    def objective(point: Floats) -> tuple[float, Floats]:
        value, slope = logistic.loss((point[0] + columns @ point[1:])[:, None], targets, tried)
        gradient = np.concatenate([slope.sum(axis=0), columns.T @ slope[:, 0] + point[1:]])
        return value + 0.5 * float(point[1:] @ point[1:]), gradient

    point = lbfgs.minimise(objective, np.zeros(terms.shape[1] + 1), iterations=_ITERATIONS)
    weights = np.divide(point[1:], spread, out=np.zeros(len(spread)), where=varies)
    fitted: Floats = np.concatenate([[point[0] - weights @ means], weights])
    return fitted


def apply(fitted: Floats, terms: Floats) -> Floats:
    """Return the probability that each answer is good, float64 [n]."""
    return logistic.sigmoid(fitted[0] + terms @ fitted[1:])


def auc(score: Floats, good: Floats) -> float:
    """Return the probability that a good answer scores more than a bad one, ties counted half.

    Args:
        score: float64 [n].
        good: float64 [n], in [0, 1]: how much of a good answer each is.

    Returns:
        NaN where all are equally good.
    """
    x, y = frontier.walk(frontier.events(score, 1 - good, good), len(good))
    scale = float(x[-1] * y[-1])
    return float(frontier.area(x[None], y[None])[0]) / scale if scale > 0 else float("nan")


def out_of_fold(judged: Judged, *, seed: int) -> Floats:
    """Return the probability that each answer is good by a fit on the other folds; 0 where a hard sign says no.

    Args:
        judged: n answers.
        seed: of the folds.

    Returns:
        float64 [n].

    Raises:
        StartupError: too few answers without a hard sign, or all of them are equally good.
    """
    soft = ~judged.hard
    _check(judged)
    fold = crossfit.deal(judged.groups, FOLDS, seed)
    good = np.zeros(len(judged))
    for number in range(FOLDS):
        here, rest = soft & (fold == number), soft & (fold != number)
        if here.any():
            good[here] = apply(fit(judged.terms[rest], judged.weak[rest]), judged.terms[here])
    return good


def weights(judged: Judged) -> dict[str, float]:
    """Fit to all answers without a hard sign.

    Returns:
        Name of each of the config's `verifier.weights` -> value, with four digits after the point.

    Raises:
        StartupError: as `out_of_fold`.
    """
    _check(judged)
    soft = ~judged.hard
    fitted = fit(judged.terms[soft], judged.weak[soft])
    return {
        name: round(float(value), _DIGITS) + 0.0 for name, value in zip(("intercept", *COLUMNS), fitted, strict=True)
    }


def _check(judged: Judged) -> None:
    soft = judged.weak[~judged.hard]
    if len(soft) < FEWEST or len(np.unique(judged.groups[~judged.hard])) < FEWEST:
        raise StartupError(
            f"{len(soft)} answers without a hard sign are too few to fit the head; {FEWEST} is the least"
        )
    if np.ptp(soft) == 0:
        raise StartupError("all answers of the weak model are equally good: nothing tells them apart")
