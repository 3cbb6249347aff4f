from __future__ import annotations

import math

import numpy as np
import pytest

from extproc_router.evaluation import resample
from extproc_router.learning import frontier


def events(n: int, distinct: int) -> frontier.Events:
    generator = np.random.default_rng(5)
    key = generator.integers(distinct, size=n).astype(np.float64)
    return frontier.events(key, np.ones(n), (generator.random(n) < 0.2 + 0.5 * key / distinct).astype(np.float64))


def test_a_round_draws_as_many_units_as_there_are() -> None:
    drawn = np.concatenate(list(resample.rounds(resample.units(300, 0), 40, 7)))
    assert drawn.shape == (40, 300)
    assert (drawn.sum(axis=1) == 300).all()


def test_the_same_seed_gives_the_same_rounds_in_any_number() -> None:
    units = resample.units(50, 0)
    few = np.concatenate(list(resample.rounds(units, 10, 3)))
    many = np.concatenate(list(resample.rounds(units, 30, 3)))
    assert (few == many[:10]).all()
    assert (few != np.concatenate(list(resample.rounds(units, 10, 4)))).any()


def test_each_row_once_is_the_data_itself() -> None:
    walked = events(200, 30)
    x, y = resample.curve(walked, resample.units(200, 0)).walk(np.ones((1, 200)))
    there = frontier.walk(walked, 200)
    np.testing.assert_allclose(x[0] / 200, there[0], atol=1e-12)
    np.testing.assert_allclose(y[0] / 200, there[1], atol=1e-12)


def test_packets_hold_all_rows_and_bins_keep_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "EXACT_ROWS", 100)
    monkeypatch.setattr(resample, "PACKETS", 64)
    units = resample.units(1000, 0)
    assert units.count == 64
    assert units.sizes.sum() == 1000
    assert set(units.sizes) == {15.0, 16.0}
    walked = events(1000, 30)  # fewer groups than bins: exact
    x, y = resample.curve(walked, units).walk(np.ones((1, 64)))
    there = frontier.walk(walked, 1000)
    np.testing.assert_allclose(x[0] / 1000, there[0], atol=1e-12)
    np.testing.assert_allclose(y[0] / 1000, there[1], atol=1e-12)


def test_packets_spread_like_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    n, count = 4000, 400
    walked = events(n, 10**9)

    def spread() -> float:
        units = resample.units(n, 0)
        curve = resample.curve(walked, units)
        values = [frontier.apgr(*curve.walk(weights)) for weights in resample.rounds(units, count, 1)]
        return float(np.concatenate(values).std())

    by_rows = spread()
    monkeypatch.setattr(resample, "EXACT_ROWS", 100)
    monkeypatch.setattr(resample, "PACKETS", 512)
    monkeypatch.setattr(resample, "BINS", 128)
    assert spread() == pytest.approx(by_rows, rel=0.15)


def test_the_spread_is_that_of_a_mean() -> None:
    values = np.random.default_rng(2).random(2000)
    units = resample.units(2000, 0)
    means = np.concatenate([weights @ values / 2000 for weights in resample.rounds(units, 1000, 0)])
    assert means.std() == pytest.approx(values.std() / math.sqrt(2000), rel=0.1)


def test_interval_takes_percentiles_and_tolerates_few_gaps() -> None:
    values = np.arange(1001.0)
    assert resample.interval(values) == pytest.approx((25.0, 975.0))
    values[:20] = np.nan
    assert resample.interval(values) is not None
    values[:200] = np.nan
    assert resample.interval(values) is None
    assert resample.interval(np.empty(0)) is None
