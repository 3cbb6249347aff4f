from __future__ import annotations

from math import isfinite, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.learning import surface


def test_counts_what_it_says() -> None:
    assert surface.read("Add 12\nand 7!") == pytest.approx((log1p(13), log1p(4), log1p(1), log1p(3), 1 / 13))


@given(st.text())
def test_every_text_has_finite_features(text: str) -> None:
    values = surface.read(text)
    assert len(values) == surface.SIZE
    assert all(isfinite(value) and value >= 0 for value in values)


def test_only_the_length_looks_beyond_the_cut() -> None:
    short, long = surface.read("a" * 20_000), surface.read("a" * 20_000 + "1 2 3\n!" * 10)
    assert long[0] > short[0]
    assert long[1:] == short[1:]


def test_the_scale_has_mean_0_and_the_deviation_asked_for() -> None:
    values = np.random.default_rng(0).normal(3, 2, (500, surface.SIZE))
    scaled = surface.fit_scale(values, 0.1)(values)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-2)
    np.testing.assert_allclose(scaled.std(axis=0), 0.1, atol=1e-2)


def test_outliers_are_cut_and_constants_do_no_harm() -> None:
    scale = surface.fit_scale(np.ones((10, surface.SIZE)), 0.5)
    assert scale(np.full((1, surface.SIZE), 1e9)).tolist() == [[2.0] * surface.SIZE]
    assert scale(np.ones((1, surface.SIZE))).tolist() == [[0.0] * surface.SIZE]
