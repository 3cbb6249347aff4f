from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import calibrate
from extproc_router.evaluation.calibrate import Goal, Sample

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Index


def sample(n: int, seed: int = 0) -> Sample:
    generator = np.random.default_rng(seed)
    score = generator.random(n)
    weak = (generator.random(n) < 0.9 - 0.6 * score).astype(float)
    strong = (generator.random(n) < 0.9).astype(float)
    return Sample(score, np.stack([weak, strong], axis=1), np.tile([1.0, 10.0], (n, 1)))


def test_share_by_hand() -> None:
    found = calibrate.calibrate(
        Sample(np.arange(100.0), None, None), Goal.STRONG_SHARE, 0.3, tolerance=0.2, bootstrap=100
    )
    assert found.threshold == 69.5  # between the 31st and the 30th from above
    assert found.sample.share == 0.3
    assert found.sample.quality is None


def test_quality_takes_as_few_strong_calls_as_possible() -> None:
    rows = sample(2000)
    found = calibrate.calibrate(rows, Goal.QUALITY, 0.9, bootstrap=100)
    assert rows.quality is not None
    strong = rows.score >= found.threshold
    reached = np.where(strong, rows.quality[:, 1], rows.quality[:, 0]).mean() / rows.quality[:, 1].mean()
    assert reached == pytest.approx(found.sample.quality)
    assert reached >= 0.9
    fewer = rows.score >= np.sort(rows.score[strong])[1]
    assert np.where(fewer, rows.quality[:, 1], rows.quality[:, 0]).mean() / rows.quality[:, 1].mean() < 0.9


def test_savings_take_as_many_strong_calls_as_possible() -> None:
    found = calibrate.calibrate(sample(1000), Goal.SAVINGS, 0.45, bootstrap=100)
    assert found.sample.share == 0.5  # each weak call saves 0.9 of a strong one
    assert found.sample.savings == pytest.approx(0.45)


@pytest.mark.parametrize(("goal", "value"), [(Goal.STRONG_SHARE, 0.3), (Goal.QUALITY, 0.9), (Goal.SAVINGS, 0.4)])
def test_new_requests_fall_into_the_expected_range(goal: Goal, value: float) -> None:
    hits = 0
    for seed in range(40):
        found = calibrate.calibrate(
            sample(600, seed), goal, value, tolerance=0.2, requests=500, bootstrap=150, seed=seed
        )
        new = sample(500, 1000 + seed)
        assert new.quality is not None
        strong = new.score >= found.threshold
        share = strong.mean()
        seen = {
            Goal.STRONG_SHARE: share,
            Goal.QUALITY: np.where(strong, new.quality[:, 1], new.quality[:, 0]).sum() / new.quality[:, 1].sum(),
            Goal.SAVINGS: 0.9 * (1 - share),
        }[goal]
        expected = {
            Goal.STRONG_SHARE: found.expected.share,
            Goal.QUALITY: found.expected.quality,
            Goal.SAVINGS: found.expected.savings,
        }[goal]
        assert expected is not None
        hits += expected[0] <= seen <= expected[1]
    assert hits >= 34  # 38 expected; fewer than 34 of 40 has probability 0.005 at 95 %


def test_a_small_sample_is_refused_with_the_number_needed() -> None:
    with pytest.raises(StartupError, match=r"80 rows are too few.*About (\d+) rows are needed for \+-0.05") as caught:
        calibrate.calibrate(sample(80), Goal.STRONG_SHARE, 0.5, bootstrap=300)
    needed = int(str(caught.value).split("About ")[1].split(" ")[0])
    assert 250 < needed < 550  # 1.96^2 / 4 / 0.05^2 = 384
    calibrate.calibrate(sample(600), Goal.STRONG_SHARE, 0.5, bootstrap=300)


def test_ties_are_not_split() -> None:
    rows = Sample(np.repeat([0.0, 1.0], 200), None, None)
    found = calibrate.calibrate(rows, Goal.STRONG_SHARE, 0.4, tolerance=0.5, bootstrap=100)
    assert (found.threshold, found.sample.share) == (0.5, 0.5)


def test_what_is_out_of_reach_or_unknown_is_said() -> None:
    weak_is_enough = Sample(np.arange(200.0), np.tile([0.5, 0.0], (200, 1)), None)
    with pytest.raises(StartupError, match="no threshold reaches quality"):
        calibrate.calibrate(weak_is_enough, Goal.QUALITY, 0.9, bootstrap=100)
    dear = Sample(np.arange(200.0), None, np.tile([9.0, 10.0], (200, 1)))
    with pytest.raises(StartupError, match=r"the most is 0\.1000"):
        calibrate.calibrate(dear, Goal.SAVINGS, 0.5, bootstrap=100)
    scores = Sample(np.arange(200.0), None, None)
    for goal in (Goal.QUALITY, Goal.SAVINGS):
        with pytest.raises(StartupError, match="needs"):
            calibrate.calibrate(scores, goal, 0.5)
    with pytest.raises(StartupError, match="not a number"):
        calibrate.calibrate(Sample(np.array([np.nan]), None, None), Goal.STRONG_SHARE, 0.5)


def test_the_same_seed_gives_the_same_range() -> None:
    first, second = (
        calibrate.calibrate(sample(500), Goal.QUALITY, 0.9, tolerance=0.2, bootstrap=100) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("score", [np.zeros(500), np.repeat([0.0, 1.0], 250)])
def test_a_share_that_ties_put_out_of_reach_is_refused(score: np.ndarray) -> None:
    with pytest.raises(StartupError, match=r"no threshold gives a strong share of 0\.3"):
        calibrate.calibrate(Sample(score, None, None), Goal.STRONG_SHARE, 0.3, tolerance=0.1, bootstrap=100)


def test_few_rounds_are_no_range(monkeypatch: pytest.MonkeyPatch) -> None:
    effect, calls = calibrate._Cuts.effect, 0

    def interrupted(cuts: calibrate._Cuts, cut: int, rows: Index) -> calibrate.Effect:
        nonlocal calls
        calls += 1
        if calls > 2 * 3:
            raise KeyboardInterrupt
        return effect(cuts, cut, rows)

    monkeypatch.setattr(calibrate._Cuts, "effect", interrupted)
    with pytest.raises(StartupError, match="of 1000 bootstrap rounds were done"):
        calibrate.calibrate(Sample(np.arange(60.0), None, None), Goal.STRONG_SHARE, 0.5)


def test_a_large_sample_is_as_sure_as_its_rows_make_it() -> None:
    n = 80_000
    rows = Sample(np.random.default_rng(0).random(n), None, None)
    found = calibrate.calibrate(rows, Goal.STRONG_SHARE, 0.5, tolerance=0.004, requests=1000, bootstrap=400)
    assert found.margin == pytest.approx(1.96 * 0.5 / np.sqrt(n), rel=0.15)
    low, high = found.expected.share
    assert (high - low) / 2 == pytest.approx(1.96 * 0.5 * np.sqrt(1 / n + 1 / 1000), rel=0.15)
