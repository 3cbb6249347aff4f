"""Per-domain quality table: a model does as well as it does, on average, in the prompt's field of knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from extproc_router.learning.base import Floats

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from extproc_router.learning.base import Features, Outcomes


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        prior: prompts' worth of a model's overall mean that is mixed into each of its cells.
    """

    prior: Annotated[float, Meta(gt=0.0)] = 20.0

    def fit(self, outcomes: Outcomes, features: Features, seed: int) -> FittedTable:  # noqa: ARG002  nothing is drawn
        """Average; a prompt counts in every domain by the domain head's probability."""
        tried = outcomes.tried
        counts = features.domains.T @ tried.astype(np.float64)
        sums = features.domains.T @ np.where(tried, outcomes.quality, 0.0)
        return FittedTable(outcomes.models, (sums + self.prior * outcomes.means()) / (counts + self.prior))

    def restore(self, models: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]) -> FittedTable:
        """See `Strategy.restore`."""
        cells = arrays["cells"].astype(np.float64)
        if cells.ndim != 2 or cells.shape[1] != len(models):  # noqa: PLR2004  rows and columns
            raise ValueError("the table does not fit the models")
        return FittedTable(models, cells)


class FittedTable(Struct, frozen=True):
    """The table: `cells` float64 [labels, m], in [0, 1]."""

    models: tuple[str, ...]
    cells: Floats

    def quality(self, features: Features) -> Floats:
        """See `Fitted.quality`."""
        quality: Floats = features.domains @ self.cells
        return quality

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """See `Fitted.arrays`."""
        return {"cells": self.cells}
