from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.evaluation import outcomes
from extproc_router.evaluation.pair_rounds import GRID, PairRounds
from extproc_router.learning import frontier

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.evaluation.outcomes import Outcomes, Pair


def pair_of(rows: Outcomes) -> Pair:
    return outcomes.pair(rows, weak="weak", strong="strong")


def run(pair: Pair, count: int = 40, seed: int = 0) -> PairRounds:
    walk = frontier.events(-np.arange(len(pair), dtype=np.float64), np.ones(len(pair)), pair.strong - pair.weak)
    return PairRounds(pair, {"mine": walk}, {"all": np.ones(len(pair), dtype=bool)}, count, seed)


def test_the_same_seed_gives_the_same_rounds_and_another_does_not(noisy: Callable[..., Outcomes]) -> None:
    pair = pair_of(noisy(300))
    first, again, other = run(pair), run(pair), run(pair, seed=1)
    assert first.count == 40
    assert first.exact
    assert np.array_equal(first.figures["mine"], again.figures["mine"])
    assert not np.array_equal(first.figures["mine"], other.figures["mine"])


def test_every_round_is_paired(noisy: Callable[..., Outcomes]) -> None:
    """All rows to the strong model is the strong model, round by round, and the oracle is never below either."""
    found = run(pair_of(noisy(300)))
    assert found.fixed["all"][0] == pytest.approx(found.strong)
    assert found.fixed["all"][1] == pytest.approx(0.0, abs=1e-12)
    assert (found.oracle >= np.maximum(found.weak, found.strong) - 1e-12).all()
    assert found.bands["mine"].shape == (len(GRID), 40)
    assert found.bands["mine"][0] == pytest.approx(found.weak)
    assert found.bands["mine"][-1] == pytest.approx(found.strong)


def test_rows_that_are_all_alike_leave_nothing_to_chance(make: Callable[..., Outcomes]) -> None:
    found = run(pair_of(make([0] * 50, [1] * 50)))
    assert np.ptp(found.figures["mine"], axis=1) == pytest.approx(0.0, abs=1e-12)


def test_no_rounds_are_no_rounds(make: Callable[..., Outcomes]) -> None:
    found = run(pair_of(make([0, 1], [1, 1])), count=0)
    assert found.count == 0
    assert found.figures["mine"].shape == (4, 0)
