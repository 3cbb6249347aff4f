"""The verifier's confidence on outcomes without answers: a stated assumption, not a measurement.

A good answer of the weak model has a mean token log-probability from N(-0.25, 0.12), a bad one from N(-0.65, 0.25),
clipped at -0.001, as the simulated model servers have (`lab/simulation/quality.py`; a test compares the two). That is
an AUC of 0.93, and real verifiers have 0.7 to 0.8: so the bad ones' mean and deviation are also moved towards the good
ones', to where the AUC is a given one.
"""

from __future__ import annotations

from math import erf, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Floats

GOOD_MEAN, GOOD_DEVIATION = -0.25, 0.12
BAD_MEAN, BAD_DEVIATION = -0.65, 0.25
SUREST = -0.001
ASSUMPTION = (
    f"the verifier's confidence is simulated: a good answer's mean log-probability is drawn from N({GOOD_MEAN}, "
    f"{GOOD_DEVIATION}), a bad one's from N({BAD_MEAN}, {BAD_DEVIATION}), clipped at {SUREST}"
)
_HALVINGS = 60


def mean_logprobs(weak: Floats, separation: float, generator: np.random.Generator) -> Floats:
    """Draw a mean log-probability for each answer of the weak model.

    Args:
        weak: float64 [n], in [0, 1]: the probability that the answer counts as a good one.
        separation: 1 is the assumption, 0 tells nothing of the answer.
        generator: of the draws.

    Returns:
        float64 [n], nats, < 0.
    """
    good = generator.random(len(weak)) < weak
    mean = np.where(good, GOOD_MEAN, GOOD_MEAN + separation * (BAD_MEAN - GOOD_MEAN))
    deviation = np.where(good, GOOD_DEVIATION, GOOD_DEVIATION + separation * (BAD_DEVIATION - GOOD_DEVIATION))
    drawn: Floats = np.minimum(generator.normal(mean, deviation), SUREST)
    return drawn


def auc(separation: float) -> float:
    """Return the probability that a good answer has more than a bad one, clipping left aside."""
    spread = GOOD_DEVIATION + separation * (BAD_DEVIATION - GOOD_DEVIATION)
    distance = separation * (GOOD_MEAN - BAD_MEAN)
    # The difference of two normals is normal; Phi(z) = (1 + erf(z / sqrt 2)) / 2.
    return 0.5 + 0.5 * erf(distance / sqrt(2 * (GOOD_DEVIATION**2 + spread**2)))


def separation_of(wanted: float) -> float:
    """Return the separation with an AUC, which must be in [0.5, 0.92]: it grows with the separation."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if auc(middle) < wanted else (low, middle)
    return low
