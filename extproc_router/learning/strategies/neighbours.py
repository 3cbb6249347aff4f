"""k-nearest outcomes: a model does as well as it did on the most similar prompts seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from extproc_router.learning import memory
from extproc_router.learning.base import Floats, Singles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from extproc_router.learning.base import Features, Outcomes

_CHUNK = 256  # queries compared with the memory at once: bounds what is held


class Neighbours(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        count: neighbours asked.
        power: of the cosine, as a neighbour's weight; 0 lets all count alike.
        prior: neighbours' worth of a model's mean quality that is mixed in.
        capacity: prompts remembered; a random choice where there are more.
    """

    count: Annotated[int, Meta(ge=1, le=10_000)] = 200
    power: Annotated[float, Meta(ge=0.0, le=20.0)] = 2.0
    prior: Annotated[float, Meta(ge=0.0)] = 5.0
    capacity: Annotated[int, Meta(ge=1, le=memory.LIMIT)] = 20_000

    def fit(self, outcomes: Outcomes, features: Features, seed: int) -> FittedNeighbours:
        """Remember."""
        kept = memory.choose(len(outcomes), self.capacity, seed)
        return FittedNeighbours(
            outcomes.models, self, features.embeddings[kept], outcomes.quality[kept], outcomes.means()
        )

    def restore(self, models: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]) -> FittedNeighbours:
        """See `Strategy.restore`."""
        embeddings, seen, means = memory.restore(models, arrays)
        return FittedNeighbours(models, self, embeddings, seen, means)


class FittedNeighbours(Struct, frozen=True):
    """What was seen.

    Attributes:
        models: names.
        settings: how neighbours are asked.
        embeddings: float32 [seen, dimension].
        seen: float64 [seen, m], their quality; NaN where not tried.
        means: float64 [m].
    """

    models: tuple[str, ...]
    settings: Neighbours
    embeddings: Singles
    seen: Floats
    means: Floats

    def quality(self, features: Features) -> Floats:
        """See `Fitted.quality`."""
        chunks = range(0, len(features), _CHUNK)
        parts = [self._ask(features.embeddings[start : start + _CHUNK]) for start in chunks]
        return np.concatenate(parts) if parts else np.empty((0, len(self.models)))

    def _ask(self, embeddings: Singles) -> Floats:
        cosines = embeddings @ self.embeddings.T
        count = min(self.settings.count, len(self.embeddings))
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(cosines, nearest, axis=1).astype(np.float64)
        weights = np.maximum(near, 0.0) ** self.settings.power
        answers = self.seen[nearest]
        tried = np.isfinite(answers)
        sums = np.einsum("qk,qkm->qm", weights, np.where(tried, answers, 0.0))
        total = np.einsum("qk,qkm->qm", weights, tried.astype(np.float64))
        # A sliver of prior answers for the model that no neighbour has tried.
        prior = max(self.settings.prior, 1e-9)
        quality: Floats = (sums + prior * self.means) / (total + prior)
        return quality

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """See `Fitted.arrays`."""
        return memory.arrays(self.embeddings, self.seen, self.means)
