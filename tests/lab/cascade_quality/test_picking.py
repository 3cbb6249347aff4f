from __future__ import annotations

from random import Random

import pytest

from extproc_router.lab.cascade_quality import picking
from extproc_router.lab.cascade_quality.picking import BOTH, CASCADE, ROUTING, Seen
from extproc_router.lab.cascade_quality.playing import Served
from extproc_router.lab.cascade_quality.policies import STRONG, WEAK

COUNT = 200


def seen(*, sure: bool, telling: bool, hard: int = 0) -> Seen:
    """A weak model that is right about half of the prompts, and a strong one about all.

    Args:
        sure: whether log-probabilities tell which half.
        telling: whether difficulty does.
        hard: how many of weak's bad answers have a hard sign.
    """
    drawn = Random(1)
    weak = []
    for number in range(COUNT):
        good = number % 2 == 0
        known = {
            "mean_logprob": (-0.2 if good else -0.8) if sure else -drawn.random(),
            "length": 4.6,
            "difficulty": (0.2 if good else 0.8) if telling else drawn.random(),
        }
        known["mean_logprob"] += 0.01 * drawn.random()
        known["difficulty"] += 0.01 * drawn.random()
        signs = ("empty",) if not good and number < 2 * hard else ()
        weak.append(Served(good, WEAK, 0.1, difficulty=known["difficulty"], features=known, signs=signs))
    return Seen(weak, [Served(good=True, model=STRONG, cost=1.0) for _ in range(COUNT)])


def test_sure_answers_are_accepted_and_the_others_are_not() -> None:
    found = picking.pick(seen(sure=True, telling=False), budget=0.65, seed=0)

    cascade = found[CASCADE]
    assert cascade.direct_from is None
    assert 0.2 < (cascade.accept_at or 0) < 0.8
    assert cascade.weights is not None
    assert cascade.weights["mean_logprob"] > 0
    # What is the same of all answers, and what it shall not see.
    assert (cascade.weights["length"], cascade.weights["difficulty"]) == (0, 0)
    assert picking.auc(seen(sure=True, telling=False), seed=0) == 1


def test_what_is_told_beforehand_goes_straight_to_strong() -> None:
    found = picking.pick(seen(sure=False, telling=True), budget=0.58, seed=0)

    assert 0.2 < (found[ROUTING].direct_from or 0) <= 0.81
    both = found[BOTH]
    assert both.reads_difficulty
    assert both.weights is not None
    assert both.weights["difficulty"] < 0
    assert both.direct_from is not None


def test_a_budget_below_everything_picks_the_cheapest() -> None:
    found = picking.pick(seen(sure=True, telling=True), budget=0.01, seed=0)

    assert found[ROUTING].direct_from is None
    assert found[CASCADE].accept_at == 0
    assert (found[BOTH].direct_from, found[BOTH].accept_at) == (None, 0)


def test_hard_signs_are_left_to_the_verifier() -> None:
    found = picking.pick(seen(sure=True, telling=False, hard=20), budget=0.65, seed=0)
    assert found[CASCADE].accept_at == pytest.approx(0.5, abs=0.4)
