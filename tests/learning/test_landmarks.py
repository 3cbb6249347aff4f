from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.learning import landmarks

if TYPE_CHECKING:
    from extproc_router.learning.base import Singles


def directions(count: int, dimension: int = 6) -> Singles:
    rows = np.random.default_rng(0).normal(size=(count, dimension))
    embeddings: Singles = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return embeddings


def test_the_kernel_is_1_at_itself_and_falls_with_the_angle() -> None:
    near = landmarks.kernel(directions(20), directions(20), 3.0)
    np.testing.assert_allclose(near.diagonal(), 1, atol=1e-5)
    assert near.min() > np.exp(-6.1)
    assert (near <= 1 + 1e-6).all()


def test_with_every_prompt_a_landmark_the_features_multiply_to_the_kernel() -> None:
    embeddings = directions(40)
    centres, whitening = landmarks.fit(embeddings, 40, 2.0, seed=0)
    features = landmarks.kernel(embeddings, centres, 2.0) @ whitening
    np.testing.assert_allclose(features @ features.T, landmarks.kernel(embeddings, embeddings, 2.0), atol=1e-3)


def test_landmarks_that_coincide_are_no_trouble() -> None:
    alike = np.tile(directions(1), (20, 1))
    centres, whitening = landmarks.fit(alike, 5, 2.0, seed=0)
    assert np.isfinite(landmarks.kernel(alike, centres, 2.0) @ whitening).all()
