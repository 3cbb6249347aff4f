from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.training import exits, heads, metrics
from extproc_router.training.ladder import PAIR, Inputs, win_rate

if TYPE_CHECKING:
    from extproc_router.learning.base import Index, Singles

SETTINGS = heads.Settings(penalties=(1e-3, 1e-4), folds=3, terms=exits.Terms(least=20))


def points(truth: Index, noise: float, seed: int) -> Singles:
    generator = np.random.default_rng(seed)
    found = np.eye(8)[truth] + noise * generator.normal(size=(len(truth), 8))
    scaled: Singles = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def inputs(truth: Index, *noises: float | None) -> Inputs:
    """One tier for each noise, from the same classes."""
    tiers = tuple(None if noise is None else points(truth, noise, seed) for seed, noise in enumerate(noises))
    return Inputs(tiers, groups=np.arange(len(truth)) // 2)


def classes(rows: int, kinds: int = 3) -> Index:
    return np.random.default_rng(7).integers(kinds, size=rows).astype(np.intp)


def test_a_choice_is_right_and_its_early_tier_agrees() -> None:
    truth = classes(900)
    rows = inputs(truth, 0.3, 0.2)
    fitted = heads.fit_choice(rows.take(np.arange(600)), truth[:600], ("a", "b", "c"), settings=SETTINGS)
    probs, tiers = fitted.read(rows.take(np.arange(600, 900)).tiers)
    whole, last = fitted.read(rows.take(np.arange(600, 900)).tiers, early=False)
    assert metrics.accuracy(truth[600:], whole) > 0.95
    assert set(last.tolist()) == {1}
    early = tiers == 0
    assert 0.2 < early.mean() < 1
    assert (probs.argmax(axis=1) == whole.argmax(axis=1))[early].mean() > 0.97
    assert metrics.expected_calibration_error(truth[600:], whole) < 0.05
    assert fitted.floor_precision == 0.85


def test_a_tier_that_knows_nothing_never_answers() -> None:
    truth = classes(300)
    rows = inputs(truth, 50.0, None, 0.1)
    fitted = heads.fit_choice(rows, truth, ("a", "b", "c"), settings=SETTINGS)
    assert [rung and rung.exit_above for rung in fitted.rungs] == [None, None, None]
    assert fitted.rungs[1] is None
    assert set(fitted.read(rows.tiers)[1].tolist()) == {2}


def test_two_labels_keep_two_rows_and_a_flag_has_one() -> None:
    truth = classes(200, kinds=2)
    rows = inputs(truth, 0.3)
    choice = heads.fit_choice(rows, truth, ("a", "b"), settings=SETTINGS)
    flag = heads.fit_flag(rows, truth == 1, "b", settings=SETTINGS)
    assert [rung.linear.weights.shape[0] for fitted in (choice, flag) if (rung := fitted.rungs[0])] == [2, 1]
    assert choice.read(rows.tiers)[0] == pytest.approx(flag.read(rows.tiers)[0], abs=1e-6)


def test_a_flags_threshold_keeps_the_false_positives_down() -> None:
    truth = classes(1000, kinds=2)
    rows = inputs(truth, 0.6, 0.4)
    fitted = heads.fit_flag(rows, truth == 1, "attack", fpr=0.02, settings=SETTINGS)
    assert fitted.threshold is not None
    last = fitted.probs[-1]
    assert last is not None
    assert (last[truth == 0, 1] >= fitted.threshold).mean() <= 0.02
    assert (last[truth == 1, 1] >= fitted.threshold).mean() > 0.5
    early = fitted.rungs[0]
    assert early is not None
    assert early.exit_below is None or early.exit_below < fitted.threshold
    assert early.exit_above is None or early.exit_above >= fitted.threshold


def test_held_out_rows_calibrate_and_are_not_fitted() -> None:
    truth = classes(400)
    held_out = np.arange(400) >= 300
    rows = inputs(truth, 0.3)
    spoilt = np.where(held_out, (truth + 1) % 3, truth)
    honest, fooled = (
        heads.fit_choice(Inputs(rows.tiers, rows.groups, held_out=held_out), labels, ("a", "b", "c"), settings=SETTINGS)
        for labels in (truth, spoilt)
    )
    assert honest.judged.tolist() == list(range(300, 400))
    one, two = honest.rungs[0], fooled.rungs[0]
    assert one is not None
    assert two is not None
    if one.penalty == two.penalty:
        assert one.linear.weights.tobytes() == two.linear.weights.tobytes()
    assert two.temperature > one.temperature


def test_a_pairs_score_is_the_win_rate_and_its_trust_learns_where_it_agrees() -> None:
    truth = classes(900, kinds=4)
    clear = points(truth, 0.1, 1)
    murky = points(truth, 0.1, 0)
    blurred = np.random.default_rng(3).random(900) < 0.5
    murky[blurred] = points(classes(900, 4), 3.0, 4)[blurred]
    # The first tier sees which of its rows are blurred, and nothing else tells.
    seen = np.hstack([murky, blurred[:, None].astype(np.float32)]).astype(np.float32)
    strong, weak = np.isin(truth, [0, 1]), np.isin(truth, [0, 2])
    rows = Inputs((seen, clear), groups=np.arange(900))
    fitted = heads.fit_pair(rows, strong, weak, tolerance=0.5, settings=SETTINGS)
    assert fitted.labels == PAIR
    probs, tiers = fitted.read(rows.tiers)
    score = win_rate(probs)
    assert score[truth == 1].mean() > 0.9
    assert score[truth == 2].mean() < 0.1
    assert (tiers == 0).any()
    assert blurred[tiers == 0].mean() < 0.05


def test_weights_count_as_rows() -> None:
    truth = classes(200)
    x = points(truth, 0.5, 0)
    heavy = np.where(truth == 0, 20.0, 1.0)
    plain, tilted = (
        heads.fit_choice(Inputs((x,), np.arange(200), weights=weights), truth, ("a", "b", "c"), settings=SETTINGS).read(
            (x,)
        )[0]
        for weights in (None, heavy)
    )
    assert tilted[:, 0].mean() > plain[:, 0].mean()


def test_the_same_rows_give_the_same_bytes() -> None:
    truth = classes(200)
    rows = inputs(truth, 0.4, 0.3)
    first, second = (heads.fit_choice(rows, truth, ("a", "b", "c"), settings=SETTINGS) for _ in range(2))
    for one, two in zip(first.rungs, second.rungs, strict=True):
        assert one is not None
        assert two is not None
        assert one.linear.weights.tobytes() == two.linear.weights.tobytes()
        assert (one.temperature, one.exit_above) == (two.temperature, two.exit_above)


def test_what_cannot_be_fitted_says_why() -> None:
    rows = inputs(classes(60), 0.3)
    with pytest.raises(StartupError, match="class 2 of 3 has no row"):
        heads.fit_choice(rows, np.zeros(60, dtype=np.intp) + np.arange(60) % 2, ("a", "b", "c"), settings=SETTINGS)
    with pytest.raises(StartupError, match="class 0 of 2"):
        heads.fit_flag(rows, np.ones(60, dtype=np.bool_), "x", settings=SETTINGS)
    held_out = np.arange(60) < 10
    with pytest.raises(StartupError, match="no negative row"):
        heads.fit_flag(Inputs(rows.tiers, rows.groups, held_out=held_out), held_out | (np.arange(60) < 30), "x")
    with pytest.raises(StartupError, match="the last tier"):
        heads.fit_flag(inputs(classes(60), 0.3, None), np.arange(60) < 30, "x", settings=SETTINGS)
