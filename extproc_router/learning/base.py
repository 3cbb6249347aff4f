"""What strategies learn from, and what they are once they have.

Throughout, n counts prompts and m models. Quality is in [0, 1]: the probability of a right answer where outcomes are
right or wrong, the expected score elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats: TypeAlias = npt.NDArray[np.float64]
Singles: TypeAlias = npt.NDArray[np.float32]
Index: TypeAlias = npt.NDArray[np.intp]
Flags: TypeAlias = npt.NDArray[np.bool_]


class Features(Struct, frozen=True):
    """What is known of prompts before any model has answered.

    Attributes:
        embeddings: float32 [n, dimension], of length 1 each.
        domains: float64 [n, labels], the domain head's probabilities; rows sum to 1.
        surface: float64 [n, SIZE], see `extproc_router.surface`.
    """

    embeddings: Singles
    domains: Floats
    surface: Floats

    def __len__(self) -> int:
        return len(self.embeddings)

    def take(self, index: Index | Flags) -> Features:
        """Return the rows at `index`, in its order."""
        return Features(self.embeddings[index], self.domains[index], self.surface[index])


class Outcomes(Struct, frozen=True):
    """How well models answered prompts.

    Attributes:
        models: names, in the order of the columns.
        quality: float64 [n, m], in [0, 1]; NaN where a model was not tried.
        groups: intp [n]; prompts of one group hold one question and stay on one side of every split.
    """

    models: tuple[str, ...]
    quality: Floats
    groups: Index

    def __len__(self) -> int:
        return len(self.quality)

    @property
    def tried(self) -> Flags:
        """Where a model was tried, bool [n, m]."""
        return np.isfinite(self.quality)

    def take(self, index: Index | Flags) -> Outcomes:
        """Return the rows at `index`, in its order."""
        return Outcomes(self.models, self.quality[index], self.groups[index])

    def drop(self, model: str) -> Outcomes:
        """Return them without one model."""
        kept = [column for column, name in enumerate(self.models) if name != model]
        return Outcomes(tuple(self.models[column] for column in kept), self.quality[:, kept], self.groups)

    def means(self) -> Floats:
        """Mean quality of each model, float64 [m], with half a good and half a bad answer more: never 0 or 1."""
        means: Floats = (np.nansum(self.quality, axis=0) + 0.5) / (self.tried.sum(axis=0) + 1.0)
        return means


class Fitted(Protocol):
    """A strategy that has learnt."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names, in the order of the columns of `quality`."""
        ...

    def quality(self, features: Features) -> Floats:
        """Predict how well each model would answer: float64 [n, m], in [0, 1]."""
        ...

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything learnt, by name, for `Strategy.restore`."""
        ...


class Strategy(Protocol):
    """A family of scorers and its settings; a frozen `msgspec.Struct`, so that settings are JSON."""

    def fit(self, outcomes: Outcomes, features: Features, seed: int) -> Fitted:
        """Learn; the same arguments give the same result."""
        ...

    def restore(self, models: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]) -> Fitted:
        """Build what `fit` returned from what its `arrays` gave.

        Raises:
            KeyError: an array is missing.
            ValueError: arrays do not fit each other.
        """
        ...


def need(quality: Floats, strong: int, weak: int) -> Floats:
    """How much the strong model is needed: the share of prompts like this that it would win, ties counting half.

    Args:
        quality: float64 [n, m].
        strong: its column.
        weak: its column.

    Returns:
        float64 [n] in [0, 1]: (1 + quality of strong - quality of weak) / 2.
    """
    needed: Floats = (1.0 + quality[:, strong] - quality[:, weak]) / 2.0
    return needed
