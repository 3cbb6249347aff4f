from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.learning import clusters

if TYPE_CHECKING:
    from extproc_router.learning.base import Singles


def bundles(each: int) -> Singles:
    """Three tight bundles of directions."""
    random = np.random.default_rng(0)
    rows = np.repeat(np.eye(3), each, axis=0) + random.normal(0, 0.02, (3 * each, 3))
    embeddings: Singles = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return embeddings


def test_finds_the_bundles() -> None:
    embeddings = bundles(30)
    # Three starts may fall into two bundles: ask for more centres, and no cluster may mix bundles.
    centres = clusters.fit(embeddings, 8, seed=1)
    number = clusters.assign(embeddings, centres)
    for cluster in np.unique(number):
        assert len(np.unique(np.flatnonzero(number == cluster) // 30)) == 1
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)


def test_a_cluster_for_each_prompt_where_there_are_few() -> None:
    assert len(clusters.fit(bundles(1), 10, seed=0)) == 3


def test_the_seed_decides() -> None:
    first, second, third = (clusters.fit(bundles(20), 5, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


def test_prompts_that_are_all_alike_are_no_trouble() -> None:
    alike = np.tile(bundles(1)[:1], (10, 1))
    centres = clusters.fit(alike, 4, seed=0)
    assert np.isfinite(centres).all()
    assert clusters.assign(alike, centres).shape == (10,)
