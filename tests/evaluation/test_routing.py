from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import documents, outcomes, resample, routing
from extproc_router.evaluation.cautions import cautions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extproc_router.evaluation.findings import Routing
    from extproc_router.evaluation.outcomes import Outcomes


def evaluate(rows: Outcomes, **changes: object) -> Routing:
    options = {"strategies": {}, "strong": "strong", "weak": "weak", "bootstrap": 200, **changes}
    strategies = options.pop("strategies")
    return routing.evaluate(rows, strategies, **options)  # type: ignore[arg-type]  # a test's own options


def test_toy_case_by_hand(make: Callable[..., Outcomes]) -> None:
    found = evaluate(make([0, 0, 1, 1], [1, 1, 1, 0]), strategies={"mine": np.array([4.0, 3, 2, 1])}, bootstrap=0)
    mine = found.strategies["mine"]
    assert (found.n, found.weak.quality, found.strong.quality) == (4, 0.5, 0.75)
    assert mine.frontier == [(0, 0.5), (0.25, 0.75), (0.5, 1), (0.75, 1), (1, 0.75)]
    assert mine.apgr == pytest.approx(1.375, abs=1e-12)
    assert mine.cpt50 == pytest.approx(12.5, abs=1e-9)
    assert mine.cpt80 == pytest.approx(20.0, abs=1e-9)
    assert mine.auc == pytest.approx(0.84375, abs=1e-12)
    assert mine.oracle_gap == pytest.approx(0.0, abs=1e-12)
    assert mine.regret == pytest.approx(0.0, abs=1e-12)
    assert (mine.peak.share, mine.peak.quality) == (0.5, 1.0)
    assert mine.apgr_interval is None
    assert found.oracle_quality == 1.0
    assert found.headroom == 0.25


def test_length_and_random_by_hand(make: Callable[..., Outcomes]) -> None:
    # Row numbers are the lengths, so the longest comes first: gains -1, 0, 1, 1.
    found = evaluate(make([0, 0, 1, 1], [1, 1, 1, 0]), bootstrap=0)
    length, random = found.strategies["length"], found.strategies["random"]
    assert length.frontier == [(0, 0.5), (0.25, 0.25), (0.5, 0.25), (0.75, 0.5), (1, 0.75)]
    assert length.apgr == pytest.approx(-0.375, abs=1e-12)
    assert random.frontier == [(0, 0.5), (1, 0.75)]
    assert random.apgr == pytest.approx(0.5, abs=1e-12)
    assert random.oracle_gap == pytest.approx(0.875, abs=1e-12)


def test_fixed_policies_are_points_against_chance(make: Callable[..., Outcomes]) -> None:
    rows = make([0, 0, 1, 1], [1, 1, 1, 0], costs=np.tile([1.0, 5.0], (4, 1)))
    found = evaluate(rows, fixed={"policy": np.array([True, False, False, False])}, bootstrap=50)
    policy = found.fixed["policy"]
    assert (policy.point.share, policy.point.quality, policy.point.cost) == (0.25, 0.75, 2.0)
    assert policy.over_random == pytest.approx(0.25 - 0.25 * 0.25)
    assert policy.regret == pytest.approx(0.25)
    assert found.fixed["always-weak"].point.quality == 0.5
    assert found.fixed["always-strong"].point.quality == found.fixed["best-single"].point.quality == 0.75


def test_costs_follow_the_cut(make: Callable[..., Outcomes]) -> None:
    rows = make([0, 0, 1, 1], [1, 1, 1, 0], costs=np.array([[1, 9], [1, 5], [1, 1], [1, 1.0]]))
    found = evaluate(rows, strategies={"mine": np.array([4.0, 3, 2, 1])}, bootstrap=0)
    assert (found.weak.cost, found.strong.cost) == (1.0, 4.0)
    assert found.strategies["mine"].points["pgr50"].cost == pytest.approx(
        2.0
    )  # half way to the first row's extra 8 / 4
    assert found.strategies["mine"].frontier_costs == [1, 3, 4, 4, 4]
    assert found.costs is not None
    assert sum(found.costs.weak) == sum(found.costs.strong) == 4


def test_routing_headroom_complementary_models_pay(noisy: Callable[..., Outcomes]) -> None:
    generator = np.random.default_rng(3)
    kind = generator.random(2000) < 0.5
    weak = np.where(kind, 1.0, 0.0)
    rows = noisy(2000)
    rows = type(rows)(
        **{name: getattr(rows, name) for name in rows.__struct_fields__ if name != "quality"},
        quality=np.stack([weak, 1 - weak], axis=1),
    )
    found = evaluate(rows, strategies={"knows": -weak})
    assert found.headroom > 0.4
    assert found.headroom_interval is not None
    assert found.headroom_interval[0] > 0.4
    assert found.strategies["knows"].peak.quality == 1.0
    assert not any("not complementary" in caution for caution in cautions(found))


def test_routing_headroom_equal_models_do_not_pay(make: Callable[..., Outcomes]) -> None:
    same = (np.random.default_rng(3).random(2000) < 0.5).astype(float)
    found = evaluate(make(same, same), strategies={"hopeful": np.random.default_rng(4).random(2000)})
    told = cautions(found)
    assert found.headroom == 0.0
    assert found.strategies["hopeful"].apgr is None
    assert any("not complementary" in caution for caution in told)
    assert any("routing cannot pay at all" in caution for caution in told)


def test_nested_models_can_only_save_cost(make: Callable[..., Outcomes]) -> None:
    generator = np.random.default_rng(3)
    strong = (generator.random(2000) < 0.8).astype(float)
    weak = strong * (generator.random(2000) < 0.6)
    told = cautions(evaluate(make(weak, strong)))
    assert any("it can only save cost" in caution for caution in told)
    assert not any("cannot pay at all" in caution for caution in told)


def test_a_stronger_weak_model_is_said(make: Callable[..., Outcomes]) -> None:
    found = evaluate(make([1.0] * 300, [0.0] * 150 + [1.0] * 150))
    assert found.strategies["random"].apgr is None
    assert found.fixed["best-single"].point.share == 0.0
    assert any("gap between strong and weak is -0.5000" in caution for caution in cautions(found))


def test_intervals_are_paired_and_crossing_a_baseline_is_said(noisy: Callable[..., Outcomes]) -> None:
    rows = noisy(3000)
    noise = np.random.default_rng(9).random(3000)
    found = evaluate(rows, strategies={"hint": rows.columns["hint"], "noise": noise, "twin": rows.columns["hint"] * 2})
    hint, twin = found.strategies["hint"], found.strategies["twin"]
    assert hint.apgr_interval is not None
    assert hint.apgr is not None
    assert hint.apgr_interval[0] < hint.apgr < hint.apgr_interval[1]
    assert hint.apgr_interval == twin.apgr_interval
    assert hint.against["random"].is_told_apart
    assert not found.strategies["noise"].against["random"].is_told_apart
    told = cautions(found)
    assert any(caution.startswith("noise cannot be told from the baseline random") for caution in told)
    assert not any(caution.startswith("hint cannot be told from the baseline random") for caution in told)
    assert all(low <= high for _, low, high in hint.band)


def test_the_same_seed_gives_the_same_bytes(noisy: Callable[..., Outcomes]) -> None:
    rows = noisy(800)
    first, second, other = (
        documents.dump(documents.routing(evaluate(rows, strategies={"hint": rows.columns["hint"]}, seed=seed)))
        for seed in (1, 1, 2)
    )
    assert first == second
    assert first != other


def test_an_interval_covers_the_truth_as_often_as_it_says(noisy: Callable[..., Outcomes]) -> None:
    truth = evaluate(rows := noisy(200_000, 99), strategies={"hint": rows.columns["hint"]}, bootstrap=0)
    target = truth.strategies["hint"].apgr
    assert target is not None
    hits = 0
    for seed in range(60):
        rows = noisy(1000, seed)
        bounds = evaluate(rows, strategies={"hint": rows.columns["hint"]}, seed=seed).strategies["hint"].apgr_interval
        assert bounds is not None
        hits += bounds[0] <= target <= bounds[1]
    assert hits >= 52  # 57 expected; 52 or fewer of 60 has probability 0.03 at 95 %


def test_interruption_keeps_the_rounds_done(noisy: Callable[..., Outcomes], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resample.rounds

    def cut(*args: object) -> Iterator[np.ndarray]:
        for number, chunk in enumerate(whole(*args)):  # type: ignore[arg-type]  # passed through
            if number == 1:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(resample, "rounds", cut)
    found = evaluate(noisy(500), bootstrap=1000)
    assert 0 < found.rounds < 1000
    assert found.strategies["length"].apgr_interval is not None
    assert any(caution.startswith("interrupted") for caution in cautions(found))


def test_more_rows_than_are_drawn_one_by_one(noisy: Callable[..., Outcomes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "EXACT_ROWS", 1000)
    monkeypatch.setattr(resample, "PACKETS", 256)
    rows = noisy(5000)
    found = evaluate(rows, strategies={"hint": rows.columns["hint"]})
    assert not found.exact_rounds
    mine = found.strategies["hint"]
    assert mine.apgr is not None
    assert mine.apgr_interval is not None
    assert mine.apgr_interval[0] < mine.apgr < mine.apgr_interval[1]


def test_groups_are_told_apart(noisy: Callable[..., Outcomes]) -> None:
    groups = evaluate(noisy(500), bootstrap=0).groups
    assert {group.name for group in groups} == {"easy", "hard"}
    assert sum(group.n for group in groups) == 500


@pytest.mark.parametrize("scores", [[1.0], [1.0, float("nan")]])
def test_bad_scores_are_refused(make: Callable[..., Outcomes], scores: list[float]) -> None:
    with pytest.raises(StartupError, match="strategy mine"):
        evaluate(make([0, 1], [1, 1]), strategies={"mine": np.array(scores)})


def test_rows_without_both_models_are_left_out_with_their_scores(make: Callable[..., Outcomes]) -> None:
    rows = make([0, np.nan, 0, 1, 1], [1, 1, 1, 1, 0])
    found = evaluate(rows, strategies={"mine": np.array([4.0, 9, 3, 2, 1])}, bootstrap=0)
    assert found.n == 4
    assert found.strategies["mine"].apgr == pytest.approx(1.375, abs=1e-12)


def test_the_shared_shape_of_a_pair_row_is_read(write: Callable[..., object]) -> None:
    row = {"prompt": "p", "weak_model": "w", "strong_model": "s", "weak_correct": 0, "strong_correct": 1}
    rows, _ = outcomes.read(write(row, {**row, "weak_correct": 1}))  # type: ignore[arg-type]  # a fixture's path
    found = routing.evaluate(rows, {}, strong="s", weak="w", bootstrap=0)
    assert (found.weak.quality, found.strong.quality) == (0.5, 1.0)
