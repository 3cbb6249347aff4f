from __future__ import annotations

import sys

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import divergence


def test_chi_square_against_known_values() -> None:
    statistic, p_value, effect = divergence.chi_square(np.array([10.0, 20.0]), np.array([20.0, 10.0]))
    assert statistic == pytest.approx(20 / 3, abs=1e-12)
    assert p_value == pytest.approx(0.009823274507519, abs=1e-12)
    assert effect == pytest.approx(1 / 3, abs=1e-12)


def test_rare_cells_are_pooled() -> None:
    many = divergence.chi_square(np.array([50.0, 1, 1, 1, 1, 1]), np.array([50.0, 2, 1, 1, 0, 1]))
    one = divergence.chi_square(np.array([50.0, 5]), np.array([50.0, 5]))
    assert many == pytest.approx(one, abs=1e-12)
    assert divergence.chi_square(np.array([3.0, 1]), np.array([1.0, 1])) == (0.0, 1.0, 0.0)


def test_kolmogorov_smirnov_against_known_values() -> None:
    # D = 0.5 with n = m = 8 gives sqrt(4) * 0.5 = 1; the Kolmogorov distribution's tail at 1 is 0.26999967.
    distance, p_value = divergence.kolmogorov_smirnov(np.array([8.0, 0, 0]), np.array([4.0, 4, 0]))
    assert distance == 0.5
    assert p_value == pytest.approx(0.2699996716773545, abs=1e-12)


def test_effect_sizes_by_hand() -> None:
    p, q = np.array([99.5, 99.5]), np.array([149.5, 49.5])
    assert divergence.psi(p, q) == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5), abs=1e-12)
    assert divergence.jensen_shannon(np.array([1.0, 0]), np.array([0.0, 1])) == pytest.approx(1.0)
    assert divergence.jensen_shannon(p, p) == pytest.approx(0.0)


def test_holm_by_hand() -> None:
    assert divergence.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert divergence.holm([0.6, 0.7]) == [1.0, 1.0]


def test_a_missing_scipy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(StartupError, match=r"extproc-router\[evaluate\]"):
        divergence.kolmogorov_smirnov(np.array([8.0, 0]), np.array([4.0, 4]))
