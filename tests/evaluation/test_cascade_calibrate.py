from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from msgspec.structs import replace

from extproc_router.errors import StartupError
from extproc_router.evaluation import cascade_calibrate, cascade_fit, cascade_simulation
from extproc_router.evaluation.calibrate import Goal
from extproc_router.evaluation.cascade_rows import Judged, matrix

if TYPE_CHECKING:
    from extproc_router.evaluation.cascade_calibrate import CascadeCalibration


def judged(n: int = 2000) -> Judged:
    generator = np.random.default_rng(0)
    weak = (generator.random(n) < 0.6).astype(np.float64)
    strong = (generator.random(n) < 0.9).astype(np.float64)
    logprobs = cascade_simulation.mean_logprobs(weak, 1.0, generator)
    terms = matrix([{"mean_logprob": float(logprob)} for logprob in logprobs])
    hard = (weak == 0) & (generator.random(n) < 0.1)
    return Judged(terms, hard, weak, strong, np.tile([1.0, 10.0], (n, 1)), np.arange(n))


def fit(some: Judged, goal: Goal, value: float) -> CascadeCalibration:
    return cascade_calibrate.fit(some, goal, value, tolerance=0.1, requests=2000, bootstrap=100, seed=0)


@pytest.mark.parametrize(("goal", "value"), [(Goal.QUALITY, 0.95), (Goal.SAVINGS, 0.5), (Goal.STRONG_SHARE, 0.3)])
def test_what_it_promises_is_what_the_threshold_does(goal: Goal, value: float) -> None:
    some = judged()
    found = fit(some, goal, value)
    good = cascade_fit.out_of_fold(some, seed=0)
    escalated = good < found.accept_at
    effect = found.calibration.sample
    assert effect.share == pytest.approx(escalated.mean())
    assert effect.quality == pytest.approx(np.where(escalated, some.strong, some.weak).sum() / some.strong.sum())
    # An escalation pays for both models.
    assert effect.savings == pytest.approx(1 - (1 + 10 * escalated.mean()) / 10)
    reached = {Goal.QUALITY: effect.quality, Goal.SAVINGS: effect.savings, Goal.STRONG_SHARE: effect.share}[goal]
    assert reached == pytest.approx(value, abs=0.01)


def test_hard_signs_are_escalated_whatever_is_asked() -> None:
    some = judged()
    found = fit(some, Goal.STRONG_SHARE, 0.1)
    assert found.hard == pytest.approx(some.hard.mean())
    assert found.calibration.sample.share > found.hard
    assert found.accept_at > 0


def test_a_goal_without_costs_is_refused() -> None:
    with pytest.raises(StartupError, match="cost_weak"):
        fit(replace(judged(), costs=None), Goal.SAVINGS, 0.5)


def test_quality_needs_no_costs() -> None:
    found = fit(replace(judged(), costs=None), Goal.QUALITY, 0.95)
    assert found.calibration.sample.savings is None
    assert found.auc > 0.85


def test_a_goal_below_the_hard_signs_is_refused() -> None:
    some = judged()
    with pytest.raises(StartupError, match="hard signs alone"):
        fit(replace(some, hard=(some.weak == 0) & (np.arange(2000) < 1500)), Goal.STRONG_SHARE, 0.01)
