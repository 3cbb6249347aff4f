from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.evaluation.sweep import sweep


def test_by_hand() -> None:
    # Prices 1, 2, 4. Row 0: 0.1 -> 0.5 -> 0.6; row 1: the middle model is not worth its price; row 2 stays.
    predicted = np.array([[0.1, 0.5, 0.6], [0.0, 0.1, 0.9], [0.9, 0.9, 0.2]])
    moves = sweep(predicted, np.array([1.0, 2.0, 4.0]))
    assert moves.start.tolist() == [0, 0, 0]
    assert moves.end.tolist() == [2, 2, 0]
    steps = sorted(zip(moves.rows, moves.slope.round(9), moves.origin, moves.target, strict=True))
    assert [tuple(float(part) for part in step) for step in steps] == [
        (0, 0.05, 1, 2),
        (0, 0.4, 0, 1),
        (1, 0.3, 0, 2),
    ]


def test_without_prices_the_best_predicted_is_taken_at_once() -> None:
    moves = sweep(np.array([[0.1, 0.5], [0.7, 0.2]]), np.zeros(2))
    assert moves.start.tolist() == moves.end.tolist() == [1, 0]
    assert len(moves.rows) == 0


@given(
    st.lists(st.lists(st.integers(0, 8), min_size=4, max_size=4), min_size=1, max_size=6),
    st.lists(st.integers(1, 6), min_size=4, max_size=4),
    st.floats(0.01, 20.0),
)
def test_at_every_lambda_the_moves_made_so_far_are_optimal(
    rows: list[list[int]], prices: list[int], lam: float
) -> None:
    predicted, price = np.array(rows, dtype=np.float64), np.array(prices, dtype=np.float64)
    moves = sweep(predicted, price)
    now = moves.start.copy()
    for at in np.argsort(-moves.slope, kind="stable"):
        if moves.slope[at] >= lam:
            assert now[moves.rows[at]] == moves.origin[at]
            now[moves.rows[at]] = moves.target[at]
    value = predicted - lam * price
    chosen = value[np.arange(len(now)), now]
    assert np.allclose(chosen, value.max(axis=1))
