from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.training import metrics

TRUTH = np.array([0, 0, 1, 1])
PROBS = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])


def test_figures_worked_out_by_hand() -> None:
    assert metrics.accuracy(TRUTH, PROBS) == 0.75
    assert metrics.confusion(TRUTH, PROBS).tolist() == [[1, 1], [0, 2]]
    # F1 of label 0: 2 / (2 + 0 + 1), of label 1: 4 / (4 + 1 + 0)
    assert metrics.macro_f1(TRUTH, PROBS) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert metrics.log_loss(TRUTH, PROBS) == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.7]).mean())
    # one row in each of four bins: |1 - .9|, |0 - .6|, |1 - .8|, |1 - .7|
    assert metrics.expected_calibration_error(TRUTH, PROBS) == pytest.approx((0.1 + 0.6 + 0.2 + 0.3) / 4)
    assert metrics.above(TRUTH, PROBS, 0.65) == (0.75, 1.0)
    assert metrics.above(TRUTH, PROBS, 0.95) == (0.0, 1.0)


def test_rows_count_by_their_weight() -> None:
    weights = np.array([1.0, 3.0, 0.0, 0.0])
    assert metrics.above(TRUTH, PROBS, 0.0, weights) == (1.0, 0.25)
    assert metrics.log_loss(TRUTH, PROBS, weights) == pytest.approx(-(np.log(0.9) + 3 * np.log(0.4)) / 4)


def test_labels_that_do_not_occur_do_not_count() -> None:
    probs = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    assert metrics.macro_f1(np.array([0, 1]), probs) == 1.0


def test_a_certain_mistake_costs_much_but_not_infinity() -> None:
    assert 700 < metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) < 800


@given(st.integers(1, 60), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_every_share_is_a_share(rows: int, labels: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    probs = generator.dirichlet(np.ones(labels), rows)
    truth = generator.integers(0, labels, rows)
    coverage, precision = metrics.above(truth, probs, 0.5)
    for share in (
        metrics.accuracy(truth, probs),
        metrics.macro_f1(truth, probs),
        metrics.expected_calibration_error(truth, probs),
        coverage,
        precision,
    ):
        assert 0 <= share <= 1 + 1e-9
    assert metrics.confusion(truth, probs).sum() == rows
