from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from extproc_router.learning.lbfgs import minimise

Floats = npt.NDArray[np.float64]


def test_a_stretched_bowl() -> None:
    scales = np.logspace(0, 3, 20)
    target = np.arange(20.0)

    def bowl(point: Floats) -> tuple[float, Floats]:
        return float(0.5 * (scales * (point - target) ** 2).sum()), scales * (point - target)

    assert minimise(bowl, np.zeros(20), iterations=200) == pytest.approx(target, abs=1e-5)


def test_no_step_from_the_minimum() -> None:
    calls = 0

    def bowl(point: Floats) -> tuple[float, Floats]:
        nonlocal calls
        calls += 1
        return float(point @ point), 2 * point

    assert minimise(bowl, np.zeros(3), iterations=50).tolist() == [0, 0, 0]
    assert calls == 1


def test_the_bound_on_steps_holds() -> None:
    calls = 0

    def slope(point: Floats) -> tuple[float, Floats]:
        nonlocal calls
        calls += 1
        return float(point.sum()), np.ones(2)

    minimise(slope, np.zeros(2), iterations=5)
    assert calls == 6


def test_a_wrong_gradient_ends_instead_of_looping() -> None:
    assert minimise(lambda point: (float(point @ point), -2 * point), np.ones(2), iterations=5).tolist() == [1, 1]
