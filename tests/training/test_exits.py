from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.training import exits
from extproc_router.training.exits import Terms


def test_the_lowest_confidence_that_keeps_the_agreement() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    agrees = np.array([True, True, True, False, True])
    assert exits.above(confidence, agrees, Terms(agreement=1.0, least=1)) == pytest.approx(0.7)
    assert exits.above(confidence, agrees, Terms(agreement=0.8, least=1)) == pytest.approx(0.5)


def test_equal_confidences_go_together() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.5])
    agrees = np.array([True, True, False, True])
    assert exits.above(confidence, agrees, Terms(agreement=0.9, least=1)) is None


def test_a_share_of_few_rows_is_not_believed() -> None:
    assert exits.above(np.linspace(0.5, 1, 49), np.ones(49, dtype=np.bool_), Terms()) is None
    assert exits.above(np.linspace(0.5, 1, 50), np.ones(50, dtype=np.bool_), Terms()) == 0.5
    assert exits.above(np.empty(0), np.empty(0, dtype=np.bool_), Terms()) is None


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=80), st.sampled_from([0.5, 0.9, 1.0]))
def test_what_is_above_the_exit_agrees(rows: list[tuple[int, bool]], agreement: float) -> None:
    confidence = np.array([number / 100 for number, _ in rows])
    agrees = np.array([same for _, same in rows], dtype=np.bool_)
    found = exits.above(confidence, agrees, Terms(agreement=agreement, least=5))
    if found is not None:
        taken = confidence >= found
        assert taken.sum() >= 5
        assert agrees[taken].mean() >= agreement


def test_a_flags_exits_lie_on_both_sides_of_its_threshold() -> None:
    p = np.linspace(0.01, 0.99, 99)
    high, low = exits.of_flag(p, p >= 0.6, 0.5, Terms(least=10))
    assert high == pytest.approx(0.6, abs=0.011)
    assert low is not None
    assert 0.4 < low < 0.5


def test_a_quiet_exit_must_not_swallow_what_is_rare() -> None:
    # 10 flags among 1,000 rows; at this tier half of them look as harmless as everything else.
    p = np.concatenate([np.linspace(0.0, 0.3, 990), np.full(5, 0.1), np.full(5, 0.9)])
    raised = np.arange(1000) >= 990
    _, low = exits.of_flag(p, raised, 0.5, Terms())
    assert low is not None  # 5 of 990 would agree well enough
    assert low < 0.1


@pytest.mark.parametrize(("fpr", "flagged"), [(0.0, 0), (0.01, 1), (0.05, 5)])
def test_the_threshold_spends_the_false_positives_it_may(fpr: float, flagged: int) -> None:
    generator = np.random.default_rng(0)
    p, positive = generator.random(150), np.arange(150) >= 100
    threshold = exits.raise_at(p, positive, fpr)
    assert (p[~positive] >= threshold).sum() == flagged


def test_the_threshold_lies_between_the_kinds_where_they_are_apart() -> None:
    assert exits.raise_at(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]), 0.0) == 0.5
    assert exits.raise_at(np.array([0.1, 0.4]), np.array([False, False]), 0.0) == 0.7
