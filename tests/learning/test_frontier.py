from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.learning import frontier

WEAK = np.array([0.0, 0.0, 1.0, 1.0])
STRONG = np.array([1.0, 1.0, 1.0, 0.0])


def curve(scores: list[float], gain: np.ndarray = STRONG - WEAK) -> tuple[np.ndarray, np.ndarray]:
    key = np.array(scores, dtype=np.float64)
    x, y = frontier.walk(frontier.events(key, np.ones(len(key)), gain), len(key))
    return x[None], y[None]


def test_every_cut_point_by_hand() -> None:
    x, y = curve([4, 3, 2, 1])
    assert x[0].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert y[0].tolist() == [0, 0.25, 0.5, 0.5, 0.25]


def test_figures_by_hand() -> None:
    x, y = curve([4, 3, 2, 1])
    assert frontier.area(x, y)[0] == pytest.approx(0.34375, abs=1e-12)
    assert frontier.apgr(x, y)[0] == pytest.approx(1.375, abs=1e-12)
    assert frontier.cpt(x, y, 50)[0] == pytest.approx(12.5, abs=1e-9)
    assert frontier.cpt(x, y, 80)[0] == pytest.approx(20.0, abs=1e-9)
    assert frontier.cpt(x, y, 100)[0] == pytest.approx(25.0, abs=1e-9)


def test_equal_scores_move_together() -> None:
    x, y = curve([1, 1, 0, 0])
    assert x[0].tolist() == [0, 0.5, 1]
    assert y[0].tolist() == [0, 0.5, 0.25]
    assert frontier.apgr(x, y)[0] == pytest.approx(1.25, abs=1e-12)


def test_all_equal_is_chance() -> None:
    x, y = curve([7, 7, 7, 7])
    assert frontier.apgr(x, y)[0] == pytest.approx(0.5, abs=1e-12)
    assert frontier.cpt(x, y, 80)[0] == pytest.approx(80.0, abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([-1.0, 0.0, 0.5, 1.0])), min_size=1, max_size=5),
)
def test_ties_are_the_mean_over_every_order_of_them(rows: list[tuple[int, float]]) -> None:
    scores, gain = [float(score) for score, _ in rows], np.array([value for _, value in rows])
    areas = []
    for order in itertools.permutations(range(len(rows))):
        placed = sorted(order, key=lambda row: -scores[row])
        y = np.concatenate([[0.0], np.cumsum(gain[placed])]) / len(rows)
        areas.append(np.trapezoid(y, dx=1 / len(rows)))
    x, y = curve(scores, gain)
    assert frontier.area(x, y)[0] == pytest.approx(float(np.mean(areas)), abs=1e-12)


def test_the_first_crossing_counts_on_a_curve_that_falls_again() -> None:
    # Has all of the gap at 12 of 40 rows, loses it again at the next, and ends with it.
    gain = np.zeros(40)
    gain[[11, 12, 39]] = 1, -1, 1
    x, y = curve(list(range(40, 0, -1)), gain)
    assert frontier.cpt(x, y, 50)[0] == pytest.approx(100 * 11.5 / 40)
    # np.interp over the qualities, which is RouteLLM's reading, wants them to rise: it finds the last crossing.
    assert 100 * np.interp(0.5 / 40, y[0], x[0]) == pytest.approx(100 * 39.5 / 40)


@pytest.mark.parametrize("gain", [[0.0, 0.0], [1.0, -1.0], [-1.0, 0.0]])
def test_without_a_gap_there_is_nothing_to_recover(gain: list[float]) -> None:
    x, y = curve([2, 1], np.array(gain))
    assert math.isnan(frontier.apgr(x, y)[0])
    assert math.isnan(frontier.cpt(x, y, 50)[0])


def test_rounding_does_not_delay_a_crossing_or_make_a_gap() -> None:
    # The fourth row brings the sum to 80 % of the gap, but for its rounding; the fifth adds nothing.
    x, y = curve([6, 5, 4, 3, 2, 1], np.array([1.0, 1, 1, 1, 0, 1]))
    assert frontier.cpt(x, y, 80)[0] == pytest.approx(100 * 4 / 6)
    x, y = curve([3, 2, 1], np.array([0.1, 0.2, -0.3]))
    assert 0 < y[0, -1] < 1e-15
    assert math.isnan(frontier.apgr(x, y)[0])
    assert math.isnan(frontier.cpt(x, y, 50)[0])


def test_agrees_with_eleven_quantile_points_where_the_curve_is_straight_between_them() -> None:
    scores = np.arange(100.0)
    gain = np.repeat([0.0, 0.1, 0.3, 0.2, 0.4, 0.5, 0.6, 0.7, 0.5, 1.0], 10)
    edges = np.quantile(scores, np.linspace(0, 1, 11))  # what pandas.qcut cuts at
    chosen = [scores >= edge for edge in edges[:-1]] + [scores > edges[-1]]
    shares = np.array([pick.mean() for pick in chosen])
    gained = np.array([gain[pick].sum() / 100 for pick in chosen])
    theirs = np.trapezoid(gained[::-1], shares[::-1]) / gain.mean()
    x, y = curve(scores.tolist(), gain)
    assert frontier.apgr(x, y)[0] == pytest.approx(float(theirs), abs=1e-12)
    their_cpt = np.interp(0.5 * gain.mean(), gained[::-1], 100 * shares[::-1])
    assert frontier.cpt(x, y, 50)[0] == pytest.approx(float(their_cpt), abs=1e-9)


def test_tied_scores_leave_fewer_than_eleven_quantiles_and_still_have_a_figure() -> None:
    scores = np.array([0.0] * 60 + [1.0] * 40)
    assert len(np.unique(np.quantile(scores, np.linspace(0, 1, 11)))) < 11  # qcut refuses this
    x, y = curve(scores.tolist(), np.array([0.1] * 60 + [0.5] * 40))
    # By hand: (0, 0), (0.4, 0.2), (1, 0.26): area 0.04 + 0.138.
    assert frontier.apgr(x, y)[0] == pytest.approx(0.178 / 0.26, abs=1e-12)


def test_no_events_are_a_point() -> None:
    walked = frontier.events(np.empty(0), np.empty(0), np.empty(0))
    x, y = frontier.walk(walked, 3)
    assert x.tolist() == y.tolist() == [0.0]


def test_thin_keeps_the_ends() -> None:
    x = np.linspace(0, 1, 1001)
    kept = frontier.thin(x, x**2, 11)
    assert len(kept) == 11
    assert kept[0] == (0.0, 0.0)
    assert kept[-1] == (1.0, 1.0)
    assert frontier.thin(x[:3], x[:3], 11) == [(at, at) for at in x[:3].tolist()]
