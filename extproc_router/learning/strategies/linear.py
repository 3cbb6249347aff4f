"""Linear difficulty heads: for each model, logistic regression of a right answer on the frozen embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from extproc_router.learning import lbfgs, logistic, surface
from extproc_router.learning.base import Floats
from extproc_router.learning.surface import Scale
from extproc_router.surface import SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from extproc_router.learning.base import Features, Outcomes


class Linear(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        surface: how much length and the like count beside the embedding.
        penalty: L2 on the weights, in units of answers; biases are free.
        iterations: bound on steps.
    """

    surface: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.1
    penalty: Annotated[float, Meta(gt=0.0)] = 10.0
    iterations: Annotated[int, Meta(ge=1, le=10_000)] = 100

    def fit(self, outcomes: Outcomes, features: Features, seed: int) -> FittedLinear:  # noqa: ARG002  nothing is drawn
        """Learn all heads at once; each problem is convex."""
        scale = surface.fit_scale(features.surface, self.surface)
        inputs = _inputs(features, scale)
        middle = inputs[:, :-1].mean(axis=0)
        inputs[:, :-1] -= middle
        tried = outcomes.tried
        targets = np.where(tried, outcomes.quality, 0.0)
        shape = len(outcomes.models), inputs.shape[1]
        cells = max(1, int(tried.sum()))
        penalties = np.full(shape, self.penalty)
        penalties[:, -1] = 0.0

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(shape)
            value, slope = logistic.loss(inputs @ weights.T, targets, tried)
            value += float((penalties * weights**2).sum()) / 2
            return value / cells, (slope.T @ inputs + penalties * weights).ravel() / cells

        start = np.zeros(shape)
        start[:, -1] = logistic.logit(outcomes.means())
        weights = lbfgs.minimise(loss, start.ravel(), iterations=self.iterations).reshape(shape)
        weights[:, -1] -= weights[:, :-1] @ middle
        return FittedLinear(outcomes.models, scale, weights)

    def restore(self, models: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]) -> FittedLinear:
        """See `Strategy.restore`."""
        scale = Scale(arrays["mean"].astype(np.float64), arrays["deviation"].astype(np.float64), self.surface)
        weights = arrays["weights"].astype(np.float64)
        sizes = scale.mean.shape, scale.deviation.shape
        if weights.ndim != 2 or len(weights) != len(models) or sizes != ((SIZE,), (SIZE,)):  # noqa: PLR2004  rows and columns
            raise ValueError("the heads do not fit the models")
        return FittedLinear(models, scale, weights)


class FittedLinear(Struct, frozen=True):
    """The heads.

    Attributes:
        models: names.
        scale: of the surface.
        weights: float64 [m, dimension + SIZE + 1], the last column is the bias.
    """

    models: tuple[str, ...]
    scale: Scale
    weights: Floats

    def quality(self, features: Features) -> Floats:
        """See `Fitted.quality`."""
        return logistic.sigmoid(_inputs(features, self.scale) @ self.weights.T)

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """See `Fitted.arrays`."""
        return {"mean": self.scale.mean, "deviation": self.scale.deviation, "weights": self.weights}


def _inputs(features: Features, scale: Scale) -> Floats:
    ones = np.ones((len(features), 1))
    return np.hstack([features.embeddings.astype(np.float64), scale(features.surface), ones])
