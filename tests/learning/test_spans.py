from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.learning import spans

KEYS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["A", "B"])), max_size=6)


def test_all_three_must_be_right() -> None:
    truth = [(0, 3, "A"), (5, 8, "B"), (10, 12, "A")]
    found = [(0, 3, "A"), (5, 8, "A"), (10, 13, "A"), (0, 3, "A")]
    assert spans.tally(truth, found) == (1, 3, 3)
    assert spans.tally(truth, found, "A") == (1, 3, 2)
    assert spans.tally(truth, found, "B") == (0, 0, 1)
    assert spans.tally(spans.blind(truth), spans.blind(found)) == (2, 3, 3)
    assert spans.kinds([truth, found]) == ["A", "B"]


def test_f1_by_hand() -> None:
    truth = [[(0, 3, "A"), (5, 8, "B")], []]
    found = [[(0, 3, "A")], [(1, 2, "A")]]
    assert spans.f1(truth, found) == pytest.approx(0.5)
    precision, recall, f1 = spans.scores(np.array([[1.0, 2.0, 2.0], [3.0, 4.0, 6.0]]))
    assert precision.tolist() == [0.5, 0.75]
    assert recall.tolist() == [0.5, 0.5]
    assert f1.tolist() == pytest.approx([0.5, 0.6])


def test_nothing_at_all_has_no_score() -> None:
    assert np.isnan(spans.f1([[]], [[]]))
    assert np.isnan(spans.f1([], []))
    assert spans.f1([[(0, 1, "A")]], [[]]) == 0.0


@given(KEYS, KEYS)
def test_counts_fit_each_other(truth: list[spans.Key], found: list[spans.Key]) -> None:
    right, given_, true = spans.tally(truth, found)
    assert right <= min(given_, true)
    assert spans.tally(found, truth) == (right, true, given_)
    parts = [spans.tally(truth, found, kind) for kind in spans.kinds([truth, found])]
    assert tuple(map(sum, zip(*parts, strict=True))) == (right, given_, true) or not parts
