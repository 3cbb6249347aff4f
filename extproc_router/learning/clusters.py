"""Spherical k-means: prompts grouped by the direction of their embeddings (Dhillon and Modha 2001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from extproc_router.learning.base import Index, Singles

_ROUNDS = 8


def fit(embeddings: Singles, count: int, seed: int) -> Singles:
    """Find centres.

    Args:
        embeddings: float32 [n, dimension], of length 1, n >= 1.
        count: how many centres are wanted; fewer than n where there are fewer prompts.
        seed: picks the prompts to start from.

    Returns:
        float32 [min(count, n), dimension], of length 1.
    """
    chosen = np.random.default_rng(seed).choice(len(embeddings), min(count, len(embeddings)), replace=False)
    centres = embeddings[np.sort(chosen)]
    for _ in range(_ROUNDS):
        sums = np.zeros_like(centres)
        np.add.at(sums, assign(embeddings, centres), embeddings)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        # A centre that lost all its prompts stays where it is.
        centres = np.where(lengths > 0, sums / np.where(lengths > 0, lengths, 1.0), centres)
    return centres


def assign(embeddings: Singles, centres: Singles) -> Index:
    """Return the nearest centre of each prompt, intp [n]."""
    nearest: Index = (embeddings @ centres.T).argmax(axis=1)
    return nearest
