"""Similarity to landmark prompts, as features: a linear model on them bends where the embedding space does.

The Nyström approximation of the kernel exp(sharpness (cosine - 1)) (Williams and Seeger 2001): with landmarks C,
phi(x) = k(x, C) K(C, C)^(-1/2), so that phi(x) phi(y)' is about k(x, y).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.learning import clusters

if TYPE_CHECKING:
    from extproc_router.learning.base import Floats, Singles

_JITTER = 1e-6


def kernel(embeddings: Singles, landmarks: Singles, sharpness: float) -> Floats:
    """exp(sharpness (cosine - 1)), float64 [n, landmarks], in (0, 1]."""
    similarities: Floats = np.exp(sharpness * ((embeddings @ landmarks.T).astype(np.float64) - 1.0))
    return similarities


def fit(embeddings: Singles, count: int, sharpness: float, seed: int) -> tuple[Singles, Floats]:
    """Choose landmarks.

    Args:
        embeddings: float32 [n, dimension], of length 1, n >= 1.
        count: how many are wanted.
        sharpness: of the kernel, positive.
        seed: of the clustering that spreads them.

    Returns:
        The landmarks, float32 [p, dimension] with p <= count, and K^(-1/2), float64 [p, p].
    """
    centres = clusters.fit(embeddings, count, seed)
    values, vectors = np.linalg.eigh(kernel(centres, centres, sharpness))
    # Landmarks that coincide make K singular: their common direction is kept, the rest of it is noise.
    return centres, vectors / np.sqrt(np.maximum(values, 0.0) + _JITTER)
