from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import outcomes, strategies
from extproc_router.learning import frontier

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.outcomes import Outcomes


def test_a_row_is_not_scored_by_its_own_fold() -> None:
    values, groups = np.array([1.0, 2.0, 3.0, 10.0]), np.array([0, 0, 0, 1])
    folds = np.array([0, 0, 1, 1])
    # Group 0 without fold 0 is {3}, without fold 1 is {1, 2}; group 1 is only in fold 1, so all of fold 0 stands in.
    assert strategies.cross_validated_mean(values, groups, folds).tolist() == [3.0, 3.0, 1.5, 1.5]


def test_equal_prompts_share_a_fold_and_the_seed_deals_anew() -> None:
    keys = np.repeat(np.random.default_rng(0).integers(-(2**62), 2**62, size=500), 2)
    folds = strategies.fold_of(keys, 5, 0)
    assert (folds[::2] == folds[1::2]).all()
    assert (np.bincount(folds, minlength=5) > 120).all()
    assert (strategies.fold_of(keys, 5, 1) != folds).mean() > 0.5


def test_groups_that_say_nothing_are_nearly_chance(make: Callable[..., Outcomes]) -> None:
    generator, areas = np.random.default_rng(0), []
    for seed in range(100):
        weak, strong = (generator.random(500) < quality for quality in (0.6, 0.75))
        groups, keys = generator.integers(5, size=500), generator.integers(2**62, size=500)
        pair = outcomes.pair(make(weak, strong, groups=groups, keys=keys), weak="weak", strong="strong")
        centred = strategies.group_mean(pair, 5, seed)
        gain = pair.strong - pair.weak
        as_is = strategies.cross_validated_mean(gain, groups, strategies.fold_of(keys, 5, seed))
        curves = [frontier.walk(frontier.events(key, np.ones(500), gain), 500) for key in (centred, as_is)]
        areas.append([float(frontier.apgr(x[None], y[None])[0]) for x, y in curves])
    near, far = 0.5 - np.mean(areas, axis=0)
    assert far > 0.03  # the other folds' level is low where the row's own fold is high
    assert abs(near) < 0.7 * far  # what is left: a group's mean elsewhere is low where its own part is high
    assert abs(near) < 0.04


def test_a_single_group_leaves_all_rows_tied(make: Callable[..., Outcomes]) -> None:
    generator = np.random.default_rng(1)
    rows = make(generator.random(300), generator.random(300), keys=generator.integers(2**62, size=300))
    pair = outcomes.pair(rows, weak="weak", strong="strong")
    assert set(strategies.group_mean(pair, 5, 0).tolist()) == {0.0}


def test_baselines_and_oracle_are_always_there(noisy: Callable[..., Outcomes]) -> None:
    pair = outcomes.pair(noisy(60), weak="weak", strong="strong")
    scores = strategies.score(("length",), pair)
    assert set(scores) == {"random", "length", "group-mean", "oracle"}
    assert all(score.shape == (60,) for score in scores.values())
    assert (scores["oracle"] == pair.strong - pair.weak).all()
    assert (np.diff(scores["length"]) > 0).all()


def test_an_unknown_name_is_refused(noisy: Callable[..., Outcomes]) -> None:
    with pytest.raises(StartupError, match="unknown strategy x; known: group-mean"):
        strategies.score(("x",), outcomes.pair(noisy(10), weak="weak", strong="strong"))
