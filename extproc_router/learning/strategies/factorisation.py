"""Matrix factorisation: a prompt's vector times a model's vector is the log-odds of a right answer.

P(model answers prompt well) = sigmoid(h(prompt) . u_model + b_model), after the router of Ong et al. 2024 (RouteLLM,
arXiv 2406.18665, section 4.2), with h a projection of rank r of the prompt's similarity to landmark prompts and of its
surface. Prompts that models fail alike come to lie together, whoever the models are: that is what makes a new model
cheap to place (`placing`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from extproc_router.learning import landmarks, lbfgs, logistic, surface
from extproc_router.learning.base import Floats, Singles
from extproc_router.learning.surface import Scale
from extproc_router.surface import SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from extproc_router.learning.base import Features, Outcomes


class Factorisation(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        rank: length of the vectors; no more than there are models.
        landmarks: prompts that others are compared with.
        sharpness: of the comparison, see `landmarks`.
        surface: how much length and the like count beside embeddings.
        penalty: L2, on both sides' vectors, in units of answers.
        iterations: bound on steps.
    """

    rank: Annotated[int, Meta(ge=1, le=64)] = 8
    landmarks: Annotated[int, Meta(ge=2, le=2000)] = 300
    sharpness: Annotated[float, Meta(gt=0.0, le=100.0)] = 3.0
    surface: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.1
    penalty: Annotated[float, Meta(gt=0.0)] = 6.0
    iterations: Annotated[int, Meta(ge=1, le=10_000)] = 150

    def fit(self, outcomes: Outcomes, features: Features, seed: int) -> FittedFactorisation:
        """Learn both sides' vectors by L-BFGS from a seeded start; the problem is not convex."""
        centres, whitening = landmarks.fit(features.embeddings, self.landmarks, self.sharpness, seed)
        scale = surface.fit_scale(features.surface, self.surface)
        similar = landmarks.kernel(features.embeddings, centres, self.sharpness) @ whitening
        inputs = np.hstack([similar, scale(features.surface)])
        middle = inputs.mean(axis=0)
        rank = min(self.rank, len(outcomes.models))
        vectors, projection, biases = self._minimise(inputs - middle, outcomes, rank, seed)
        # Whitening is folded into the projection: a prompt then costs one product less.
        folded = np.vstack([whitening @ projection.T[: len(centres)], projection.T[len(centres) :]])
        return FittedFactorisation(
            models=outcomes.models,
            landmarks=centres,
            sharpness=self.sharpness,
            scale=scale,
            projection=folded,
            offset=projection @ middle,
            vectors=vectors,
            biases=biases,
        )

    def _minimise(self, inputs: Floats, outcomes: Outcomes, rank: int, seed: int) -> tuple[Floats, Floats, Floats]:
        models, width = len(outcomes.models), inputs.shape[1]
        tried = outcomes.tried
        targets = np.where(tried, outcomes.quality, 0.0)
        cells = max(1, int(tried.sum()))
        ends = models * rank, models * rank + rank * width

        def unpack(flat: Floats) -> tuple[Floats, Floats, Floats]:
            return flat[: ends[0]].reshape(models, rank), flat[ends[0] : ends[1]].reshape(rank, width), flat[ends[1] :]

        def loss(flat: Floats) -> tuple[float, Floats]:
            vectors, projection, biases = unpack(flat)
            prompts = inputs @ projection.T
            value, slope = logistic.loss(prompts @ vectors.T + biases, targets, tried)
            value += self.penalty / 2 * float((vectors**2).sum() + (projection**2).sum())
            by_vectors = slope.T @ prompts + self.penalty * vectors
            by_projection = (slope @ vectors).T @ inputs + self.penalty * projection
            return value / cells, np.concatenate([by_vectors.ravel(), by_projection.ravel(), slope.sum(axis=0)]) / cells

        random = np.random.default_rng(seed)
        # Models start alike, because they mostly are: what is hard for one is hard for the next.
        start = np.concatenate(
            [
                random.normal(1 / np.sqrt(rank), 0.1, models * rank),
                random.normal(0.0, 0.05, rank * width),
                logistic.logit(outcomes.means()),
            ]
        )
        return unpack(lbfgs.minimise(loss, start, iterations=self.iterations))

    def restore(self, models: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]) -> FittedFactorisation:
        """See `Strategy.restore`."""
        fitted = FittedFactorisation(
            models=models,
            landmarks=arrays["landmarks"].astype(np.float32),
            sharpness=self.sharpness,
            scale=Scale(arrays["mean"].astype(np.float64), arrays["deviation"].astype(np.float64), self.surface),
            projection=arrays["projection"].astype(np.float64),
            offset=arrays["offset"].astype(np.float64),
            vectors=arrays["vectors"].astype(np.float64),
            biases=arrays["biases"].astype(np.float64),
        )
        width, rank = fitted.projection.shape
        if (
            fitted.landmarks.ndim != 2  # noqa: PLR2004  rows and columns
            or width != len(fitted.landmarks) + SIZE
            or fitted.vectors.shape != (len(models), rank)
            or (fitted.offset.shape, fitted.biases.shape) != ((rank,), (len(models),))
            or (fitted.scale.mean.shape, fitted.scale.deviation.shape) != ((SIZE,), (SIZE,))
        ):
            raise ValueError("the factors do not fit each other")
        return fitted


class FittedFactorisation(Struct, frozen=True):
    """Both sides' vectors.

    Attributes:
        models: names.
        landmarks: float32 [p, dimension].
        sharpness: of the comparison.
        scale: of the surface.
        projection: float64 [p + SIZE, r].
        offset: float64 [r], taken off, so that the mean prompt of the fit is at 0.
        vectors: float64 [m, r].
        biases: float64 [m].
    """

    models: tuple[str, ...]
    landmarks: Singles
    sharpness: float
    scale: Scale
    projection: Floats
    offset: Floats
    vectors: Floats
    biases: Floats

    def prompt_vectors(self, features: Features) -> Floats:
        """Return the prompts' vectors, float64 [n, r]."""
        similar = landmarks.kernel(features.embeddings, self.landmarks, self.sharpness)
        vectors: Floats = np.hstack([similar, self.scale(features.surface)]) @ self.projection - self.offset
        return vectors

    def quality(self, features: Features) -> Floats:
        """See `Fitted.quality`."""
        return logistic.sigmoid(self.prompt_vectors(features) @ self.vectors.T + self.biases)

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """See `Fitted.arrays`."""
        return {
            "landmarks": self.landmarks,
            "mean": self.scale.mean,
            "deviation": self.scale.deviation,
            "projection": self.projection,
            "offset": self.offset,
            "vectors": self.vectors,
            "biases": self.biases,
        }
