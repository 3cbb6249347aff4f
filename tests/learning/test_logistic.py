from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.learning import logistic


@given(st.floats(-1e6, 1e6))
def test_sigmoid_is_safe_and_symmetric(logit: float) -> None:
    there, back = logistic.sigmoid(np.array([logit, -logit]))
    assert 0 <= there <= 1
    assert there + back == pytest.approx(1)


@given(st.floats(0.001, 0.999))
def test_logit_undoes_sigmoid(probability: float) -> None:
    assert logistic.sigmoid(logistic.logit(np.array([probability])))[0] == pytest.approx(probability)


def test_loss_is_the_cross_entropy_of_tried_cells() -> None:
    logits, targets = np.array([[0.5, -1.0], [2.0, 9.0]]), np.array([[1.0, 0.25], [0.0, 0.0]])
    tried = np.array([[True, True], [True, False]])
    p = 1 / (1 + np.exp(-logits))
    expected = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))[tried].sum()
    value, slope = logistic.loss(logits, targets, tried)
    assert value == pytest.approx(expected)
    np.testing.assert_allclose(slope, np.where(tried, p - targets, 0))


def test_loss_does_not_overflow() -> None:
    value, slope = logistic.loss(np.array([[1e5, -1e5]]), np.array([[1.0, 1.0]]), np.array([[True, True]]))
    assert value == pytest.approx(1e5)
    assert slope.tolist() == [[0.0, -1.0]]
