"""Similarity-weighted ranking: Bradley-Terry strengths in which battles on similar prompts count more.

After the router of Ong et al. 2024 (RouteLLM, arXiv 2406.18665, section 4.2): for each prompt the maximum-likelihood
ratings of all models are computed anew, every remembered prompt weighted by its similarity. There the weight is
10^(1 + cosine / largest cosine); here it is exp(sharpness (cosine - 1)), which at sharpness ln 10 differs only in that
the largest cosine is not divided by, and the sharpness is a setting, because ln 10 = 2.3 hardly tells prompts apart.

Two models that answered one prompt with qualities a and b are half a won battle plus (a - b) / 2 of one for the first:
a win, a tie or a loss where outcomes are right or wrong, something between where they are graded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from extproc_router.learning import landmarks, logistic, memory
from extproc_router.learning.base import Floats, Singles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from extproc_router.learning.base import Features, Outcomes

_CHUNK = 256
_NEWTON_STEPS = 12
_RIDGE = 1e-9  # ratings are free up to a constant; this pins it at a mean of 0
_MAX_STEP = 2.0  # in log-odds, lest a one-sided record throw Newton off


class Similarity(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        sharpness: how fast a remembered prompt's weight falls with its distance.
        prior: weight of the overall win rates, in prompts equal to the one asked about.
        capacity: prompts remembered; a random choice where there are more.
    """

    sharpness: Annotated[float, Meta(gt=0.0, le=100.0)] = 10.0
    prior: Annotated[float, Meta(gt=0.0)] = 0.1
    capacity: Annotated[int, Meta(ge=1, le=memory.LIMIT)] = 20_000

    def fit(self, outcomes: Outcomes, features: Features, seed: int) -> FittedSimilarity:
        """Remember."""
        kept = memory.choose(len(outcomes), self.capacity, seed)
        return FittedSimilarity(
            outcomes.models, self, features.embeddings[kept], outcomes.quality[kept], outcomes.means()
        )

    def restore(self, models: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]) -> FittedSimilarity:
        """See `Strategy.restore`."""
        embeddings, seen, means = memory.restore(models, arrays)
        return FittedSimilarity(models, self, embeddings, seen, means)


class FittedSimilarity(Struct, frozen=True):
    """What was seen.

    Attributes:
        models: names.
        settings: how similarity counts.
        embeddings: float32 [seen, dimension].
        seen: float64 [seen, m], their quality; NaN where not tried.
        means: float64 [m].
    """

    models: tuple[str, ...]
    settings: Similarity
    embeddings: Singles
    seen: Floats
    means: Floats

    def quality(self, features: Features) -> Floats:
        """Mean win rate of each model against the others: float64 [n, m], in [0, 1].

        For two models these are p and 1 - p of Bradley-Terry, and `base.need` is p.
        """
        tried = np.isfinite(self.seen)
        answers, counts = np.where(tried, self.seen, 0.0), tried.astype(np.float64)
        # Before anything is known of a prompt, win rates are those of the mean qualities.
        prior = self.settings.prior * (1.0 + self.means[:, None] - self.means[None, :]) / 2
        np.fill_diagonal(prior, 0.0)
        models = len(self.models)
        quality = np.empty((len(features), models))
        for start in range(0, len(features), _CHUNK):
            rows = slice(start, start + _CHUNK)
            weights = landmarks.kernel(features.embeddings[rows], self.embeddings, self.settings.sharpness)
            won = np.stack([_battles(answers, counts, weight) for weight in weights]) + prior
            quality[rows] = win_rates(won)
        return quality

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """See `Fitted.arrays`."""
        return memory.arrays(self.embeddings, self.seen, self.means)


def _battles(answers: Floats, counts: Floats, weight: Floats) -> Floats:
    """Weighted wins of model i over model j, float64 [m, m], 0 on the diagonal."""
    weighted = counts * weight[:, None]
    both = weighted.T @ counts
    scored = (answers * weight[:, None]).T @ counts
    won: Floats = (both + scored - scored.T) / 2
    np.fill_diagonal(won, 0.0)
    return np.maximum(won, 0.0)


def win_rates(won: Floats) -> Floats:
    """Maximum-likelihood Bradley-Terry strengths, as the mean probability to win against each other model.

    Two models have a closed form, the share of battles won; more take Newton steps (the problem is convex).

    Args:
        won: float64 [n, m, m], wins of i over j, >= 0; m >= 2; every pair has a battle and both have won some of it.

    Returns:
        float64 [n, m], in [0, 1].
    """
    models = won.shape[1]
    if models == 2:  # noqa: PLR2004  the closed form
        share = won[:, 0, 1] / (won[:, 0, 1] + won[:, 1, 0])
        return np.stack([share, 1.0 - share], axis=1)
    battles = won + won.transpose(0, 2, 1)
    ratings = np.zeros(won.shape[:2])
    for _ in range(_NEWTON_STEPS):
        beats = logistic.sigmoid(ratings[:, :, None] - ratings[:, None, :])
        gradient = won.sum(axis=2) - (battles * beats).sum(axis=2)
        curvature = battles * beats * (1.0 - beats)
        hessian = -curvature
        diagonal = np.arange(models)
        hessian[:, diagonal, diagonal] = curvature.sum(axis=2) - curvature[:, diagonal, diagonal]
        # Along the constant the Hessian is flat: adding a rank-one term there keeps the mean at 0 and changes no gap.
        hessian += curvature.mean() + _RIDGE
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        ratings += np.clip(step, -_MAX_STEP, _MAX_STEP)
        if np.abs(step).max(initial=0.0) < 1e-9:  # noqa: PLR2004  converged in double precision
            break
    beats = logistic.sigmoid(ratings[:, :, None] - ratings[:, None, :])
    rates: Floats = (beats.sum(axis=2) - 0.5) / (models - 1)
    return rates
