from __future__ import annotations

import numpy as np
import pytest

from extproc_router.learning import memory


def test_keeps_everything_or_a_seeded_choice() -> None:
    assert memory.choose(5, 10, 0).tolist() == [0, 1, 2, 3, 4]
    kept = memory.choose(100, 10, 0)
    assert len(np.unique(kept)) == 10
    assert kept.tolist() == sorted(kept.tolist()) == memory.choose(100, 10, 0).tolist()
    assert kept.tolist() != memory.choose(100, 10, 1).tolist()


def test_restores_what_was_kept() -> None:
    embeddings, seen, means = np.eye(3, dtype=np.float32), np.array([[1, np.nan]] * 3), np.array([0.5, 0.25])
    back = memory.restore(("a", "b"), memory.arrays(embeddings, seen, means))
    for found, put in zip(back, (embeddings, seen, means), strict=True):
        np.testing.assert_array_equal(found, put)


def test_an_empty_memory_is_refused() -> None:
    nothing = memory.arrays(np.empty((0, 3), dtype=np.float32), np.empty((0, 2)), np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="nothing"):
        memory.restore(("a", "b"), nothing)
