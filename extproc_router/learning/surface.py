"""Bringing surface features (`extproc_router.surface`) to the size of embeddings."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from extproc_router.learning.base import Floats


class Scale(Struct, frozen=True):
    """Brings surface features to mean 0 and deviation `weight` on the prompts that they were fitted on.

    Attributes:
        mean: float64 [SIZE].
        deviation: float64 [SIZE], positive.
        weight: how much they count beside embeddings, whose length is 1.
    """

    mean: Floats
    deviation: Floats
    weight: float

    def __call__(self, surface: Floats) -> Floats:
        """Scale float64 [n, SIZE]; what lies more than four deviations off is cut, lest a giant prompt decide alone."""
        scaled: Floats = np.clip((surface - self.mean) / self.deviation, -4.0, 4.0) * self.weight
        return scaled


def fit_scale(surface: Floats, weight: float) -> Scale:
    """Fit to float64 [n, SIZE], n >= 1."""
    deviation = surface.std(axis=0)
    return Scale(surface.mean(axis=0), np.where(deviation > 0, deviation, 1.0), weight)
