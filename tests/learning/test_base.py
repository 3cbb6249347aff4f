from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc_router import surface
from extproc_router.learning import base
from extproc_router.learning.base import Features, Outcomes

share = st.floats(0, 1)


def outcomes() -> Outcomes:
    quality = np.array([[1.0, np.nan, 0.0], [0.5, 1.0, np.nan]])
    return Outcomes(("a", "b", "c"), quality, np.array([4, 7], dtype=np.intp))


def test_take_keeps_rows_together() -> None:
    rows = outcomes().take(np.array([1]))
    assert len(rows) == 1
    assert rows.groups.tolist() == [7]
    assert rows.quality[0, 1] == 1.0
    features = Features(np.eye(2, dtype=np.float32), np.eye(2), np.ones((2, surface.SIZE)))
    assert features.take(np.array([False, True])).embeddings.tolist() == [[0.0, 1.0]]
    assert len(features) == 2


def test_drop_takes_one_column_away() -> None:
    rest = outcomes().drop("b")
    assert rest.models == ("a", "c")
    assert rest.tried.tolist() == [[True, True], [True, False]]


def test_means_leave_out_what_was_not_tried_and_are_never_0_or_1() -> None:
    np.testing.assert_allclose(outcomes().means(), [(1.5 + 0.5) / 3, (1 + 0.5) / 2, 0.5 / 2])


@given(share, share)
def test_need_is_a_win_rate_with_ties_half(strong: float, weak: float) -> None:
    [needed] = base.need(np.array([[weak, strong]]), 1, 0).tolist()
    [other] = base.need(np.array([[weak, strong]]), 0, 1).tolist()
    assert 0 <= needed <= 1
    assert abs(needed + other - 1) < 1e-12
    assert (needed > 0.5) == (strong > weak) or abs(strong - weak) < 1e-12
