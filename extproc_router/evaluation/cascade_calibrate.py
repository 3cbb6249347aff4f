"""From judged answers to a cascade's `accept_at`: an answer is escalated where P(good) < accept_at.

An escalated answer costs both models; `calibrate` does the rest, with the verifier's doubt as the score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.evaluation import calibrate, cascade_fit
from extproc_router.evaluation.calibrate import Calibration, Goal, Sample

if TYPE_CHECKING:
    from extproc_router.evaluation.cascade_rows import Judged


class CascadeCalibration(Struct, frozen=True):
    """What to write, and what it will do.

    Attributes:
        accept_at: the least P(good) that is accepted.
        weights: name -> value, of the config's `verifier.weights`.
        auc: probability that a good answer of the weak model gets more than a bad one, by out-of-fold fits.
        hard: share of answers with a hard sign.
        calibration: of the doubt, -P(good), as the score; its `share` is that of escalations.
    """

    accept_at: float
    weights: dict[str, float]
    auc: float
    hard: float
    calibration: Calibration


def fit(
    judged: Judged, goal: Goal, value: float, *, tolerance: float, requests: int, bootstrap: int, seed: int
) -> CascadeCalibration:
    """Fit the head and pick `accept_at`.

    Args:
        judged: the sample.
        goal: what to reach; `STRONG_SHARE` is the share of escalations.
        value: how much of it, in (0, 1).
        tolerance: as for `calibrate.calibrate`, like the rest.
        requests: how many new ones.
        bootstrap: rounds.
        seed: of rounds and folds.

    Raises:
        StartupError: as `calibrate.calibrate` and `cascade_fit.out_of_fold`.
    """
    good = cascade_fit.out_of_fold(judged, seed=seed)
    costs = always = None
    if judged.costs is not None:
        # Whoever is escalated has paid the weak model already.
        costs = np.stack([judged.costs[:, 0], judged.costs.sum(axis=1)], axis=1)
        always = judged.costs[:, 1]
    elif goal is Goal.SAVINGS:
        raise StartupError("a savings goal needs `cost_weak` and `cost_strong` in every row")
    sample = Sample(-good, np.stack([judged.weak, judged.strong], axis=1), costs, always)
    found = calibrate.calibrate(
        sample, goal, value, tolerance=tolerance, requests=requests, bootstrap=bootstrap, seed=seed
    )
    # Escalated is what is below, so the last one that is escalated lies just under it.
    accept_at = float(np.clip(np.nextafter(-found.threshold, np.inf), 0.0, 1.0))
    if judged.hard.any() and accept_at <= 0:
        raise StartupError(
            f"hard signs alone escalate {judged.hard.mean():.1%} of the answers: more than the goal allows"
        )
    return CascadeCalibration(
        accept_at=accept_at,
        weights=cascade_fit.weights(judged),
        auc=cascade_fit.auc(good, judged.weak),
        hard=float(judged.hard.mean()),
        calibration=found,
    )
