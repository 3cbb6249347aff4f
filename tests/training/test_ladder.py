from __future__ import annotations

import numpy as np
import pytest

from extproc_router.training.fit import Linear
from extproc_router.training.ladder import Fitted, Inputs, Rung, numbered, one_row, scale_of, win_rate

X = np.array([[3.0], [0.0], [-3.0]], dtype=np.float32)
SLOPE = Linear(np.array([[1.0]]), np.array([0.0]))


def test_two_rows_and_their_difference_say_the_same() -> None:
    generator = np.random.default_rng(0)
    two = Linear(generator.normal(size=(2, 4)), generator.normal(size=2))
    x = generator.normal(size=(5, 4)).astype(np.float32)
    assert Rung(two, 2.0).probs(x) == pytest.approx(Rung(one_row(two), 2.0).probs(x))


def test_a_flag_answers_above_and_below() -> None:
    rung = Rung(SLOPE, 1.0, exit_above=0.9, exit_below=0.1)
    assert rung.answers(rung.probs(X), X).tolist() == [True, False, True]


def test_trust_stands_for_confidence_where_there_is_one() -> None:
    unsure = Linear(np.array([[-1.0]]), np.array([0.0]))
    rung = Rung(Linear(np.eye(4, 1), np.zeros(4)), 1.0, trust=unsure, exit_above=0.9)
    assert rung.answers(rung.probs(X), X).tolist() == [False, False, True]


def test_the_first_tier_that_is_sure_answers() -> None:
    early, late = Rung(SLOPE, 1.0, exit_above=0.9), Rung(SLOPE, 10.0)
    fitted = Fitted("flag", ("x",), (early, None, late), 0.5, 0.0, 0.0, np.arange(3), (None, None, None))
    probs, tiers = fitted.read((X, None, X))
    assert tiers.tolist() == [0, 2, 2]
    assert probs[0] == pytest.approx(early.probs(X)[0])
    assert probs[2] == pytest.approx(late.probs(X)[2])
    assert fitted.read((X, None, X), early=False)[1].tolist() == [2, 2, 2]


def test_ties_are_half_a_win() -> None:
    assert win_rate(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])).tolist() == [0.5, 1, 0, 0.5]


def test_inputs_are_taken_together() -> None:
    rows = Inputs((X, None), np.arange(3), weights=np.arange(3.0), held_out=np.array([True, False, True]))
    some = rows.take(np.array([2, 0]))
    assert len(some) == 2
    assert some.tiers[0] is not None
    assert some.tiers[0][:, 0].tolist() == [-3.0, 3.0]
    assert some.tiers[1] is None
    assert some.weights is not None
    assert some.weights.tolist() == [2.0, 0.0]
    assert some.held_out is not None
    assert some.held_out.tolist() == [True, True]


def test_a_feature_that_never_differs_counts_for_nothing() -> None:
    surface = np.full((30, 5), 0.1)  # the mean of thirty is not quite 0.1: a deviation of 1e-17
    assert scale_of(surface).deviation == [1.0] * 5


def test_groups_are_numbered_as_they_come() -> None:
    assert numbered(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]
