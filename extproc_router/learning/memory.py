"""Remembered prompts: what the strategies without a model of their own keep.

An embedding can give its prompt away: an artefact that remembers is as confidential as the prompts it was made from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from extproc_router.learning.base import Floats, Index, Singles

SPARSE = "seen"
"""The array that may hold NaN: models that were not tried."""

LIMIT = 200_000
"""No strategy remembers more prompts."""


def choose(rows: int, capacity: int, seed: int) -> Index:
    """Return which rows to keep, intp [min(rows, capacity)], ascending."""
    if rows <= capacity:
        return np.arange(rows, dtype=np.intp)
    return np.sort(np.random.default_rng(seed).choice(rows, capacity, replace=False)).astype(np.intp)


def arrays(embeddings: Singles, seen: Floats, means: Floats) -> Mapping[str, npt.NDArray[np.generic]]:
    """Return what `restore` reads; single precision is enough for quality."""
    return {"embeddings": embeddings, SPARSE: seen.astype(np.float32), "means": means}


def restore(models: tuple[str, ...], stored: Mapping[str, npt.NDArray[np.generic]]) -> tuple[Singles, Floats, Floats]:
    """Return embeddings [seen, dimension], quality [seen, m] and mean quality [m].

    Raises:
        KeyError: an array is missing.
        ValueError: they do not fit each other.
    """
    embeddings = stored["embeddings"].astype(np.float32)
    seen, means = stored[SPARSE].astype(np.float64), stored["means"].astype(np.float64)
    shapes = embeddings.shape[:1], seen.shape, means.shape
    if embeddings.ndim != 2 or shapes != ((len(seen),), (len(seen), len(models)), (len(models),)):  # noqa: PLR2004  rows and columns
        raise ValueError("what is remembered does not fit the models")
    if not len(embeddings):
        raise ValueError("nothing is remembered")
    return embeddings, seen, means
