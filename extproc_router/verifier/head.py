"""The learned head: what is known of a prompt and an answer -> the probability that the answer is good.

P(good) = sigmoid(intercept + sum over features of weight x (value - mean)). A feature that is not known counts as its
mean, which adds nothing, and its group's indicator is added instead.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.config.verifier_schema import Weights

MEANS: dict[str, float] = {
    "mean_logprob": -0.4,
    "min_logprob": -2.0,
    "low_share": 0.05,
    "hedges": 0.5,
    "length": 4.5,
    "difficulty": 0.5,
}
"""Feature -> what stands for it where it is not known. They set the weights' origin, so they do not change."""
INDICATORS: dict[str, str] = {
    "no_logprobs": "mean_logprob",
    "no_length": "length",
    "no_difficulty": "difficulty",
}
"""Weight that counts where a feature is not known -> that feature."""
_LARGEST = 40.0  # of a logit: beyond it the probability is 0 or 1 to the last digit


def terms_of(features: Mapping[str, float]) -> dict[str, float]:
    """Return what each weight but the intercept is multiplied by.

    Args:
        features: those that are known, by name.
    """
    centred = {name: features[name] - mean if name in features else 0.0 for name, mean in MEANS.items()}
    return {**centred, **{name: float(feature not in features) for name, feature in INDICATORS.items()}}


class Head:
    """The head with its weights."""

    def __init__(self, weights: Weights) -> None:
        self._intercept = weights.intercept
        self._weights = [(name, getattr(weights, name), mean) for name, mean in MEANS.items()]
        self._indicators = [(feature, getattr(weights, name)) for name, feature in INDICATORS.items()]

    def good(self, features: Mapping[str, float]) -> float:
        """Return the probability in [0, 1] that the answer is good, by the features that are known."""
        logit = self._intercept
        for name, weight, mean in self._weights:
            if name in features:
                logit += weight * (features[name] - mean)
        for feature, weight in self._indicators:
            if feature not in features:
                logit += weight
        return 1.0 / (1.0 + exp(-max(-_LARGEST, min(_LARGEST, logit))))
