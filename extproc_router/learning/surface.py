"""What can be seen of a prompt without reading it: how long it is and what it is made of."""

from __future__ import annotations

from math import log1p

import numpy as np
from msgspec import Struct

from extproc_router.learning.base import Floats

SIZE = 5
_READ = 20_000  # characters: prompts may be megabytes


def read(text: str) -> tuple[float, ...]:
    """Return (log characters, log words, log lines, log digits, share of marks), `SIZE` numbers, each log of 1 + x.

    The length is that of the whole text; everything else is counted in its first 20,000 characters.
    """
    seen = text[:_READ]
    digits = sum(map(str.isdigit, seen))
    plain = sum(map(str.isalnum, seen)) + sum(map(str.isspace, seen))
    marks = (len(seen) - plain) / max(1, len(seen))
    return log1p(len(text)), log1p(len(seen.split())), log1p(seen.count("\n")), log1p(digits), marks


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
