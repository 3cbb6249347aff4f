from __future__ import annotations

import numpy as np

from extproc_router.learning import surface
from extproc_router.surface import SIZE


def test_the_scale_has_mean_0_and_the_deviation_asked_for() -> None:
    values = np.random.default_rng(0).normal(3, 2, (500, SIZE))
    scaled = surface.fit_scale(values, 0.1)(values)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-2)
    np.testing.assert_allclose(scaled.std(axis=0), 0.1, atol=1e-2)


def test_outliers_are_cut_and_constants_do_no_harm() -> None:
    scale = surface.fit_scale(np.ones((10, SIZE)), 0.5)
    assert scale(np.full((1, SIZE), 1e9)).tolist() == [[2.0] * SIZE]
    assert scale(np.ones((1, SIZE))).tolist() == [[0.0] * SIZE]
