from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.encoder import tiers
from extproc_router.encoder.heads import Head, Linear, Page, View
from extproc_router.types import Flag, HeadAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

FINAL = 2


class SureFrom(Head):
    """Answers from one tier on; what it answers tells the tier."""

    def __init__(self, tier: int, *, raised: bool = False) -> None:
        self._tier = tier
        self._raised = raised

    def read(self, view: View, *, final: bool) -> HeadAnswer | None:
        return self.abstain() if final or view.tier >= self._tier else None

    def judge(self, view: View, linear: Linear, *, final: bool) -> tuple[HeadAnswer, float]:
        raise NotImplementedError

    def abstain(self) -> Flag:
        return Flag(self._tier / 10, raised=self._raised)


class Tiers:
    def __init__(self) -> None:
        self.ran: list[int] = []

    def __iter__(self) -> Iterator[View]:
        for tier in range(FINAL + 1):
            self.ran.append(tier)
            yield View(tier, Page("", [], list), np.full(2, tier, np.float32), focus=None, hidden=None)


@pytest.mark.parametrize(
    ("sure", "early", "through", "ran"),
    [
        ({"a": 0}, True, False, [0]),
        ({"a": 0, "b": 1}, True, False, [0, 1]),
        ({"a": 9}, True, False, [0, 1, 2]),
        ({"a": 0}, False, False, [0, 1, 2]),
        ({"a": 0}, True, True, [0, 1, 2]),
        ({}, True, True, [0, 1, 2]),
        ({}, True, False, []),
        ({}, False, False, []),
    ],
)
def test_no_tier_runs_for_nobody(sure: dict[str, int], early: bool, through: bool, ran: list[int]) -> None:
    heads, views = {name: SureFrom(tier) for name, tier in sure.items()}, Tiers()
    settled = tiers.settle(heads, views, FINAL, early=early, through=through)
    assert views.ran == ran
    assert settled.tiers == {name: min(tier, FINAL) if early else FINAL for name, tier in sure.items()}
    assert settled.answers == {name: head.abstain() for name, head in heads.items()}
    assert (settled.last.tier if settled.last else None) == (ran[-1] if ran else None)


@pytest.mark.parametrize(
    ("raised", "early", "tier"), [(False, True, FINAL), (True, True, 0), (False, False, FINAL), (True, False, FINAL)]
)
def test_the_last_tier_alone_says_no_to_what_is_undeniable(*, raised: bool, early: bool, tier: int) -> None:
    heads = {"a": SureFrom(0, raised=raised), "b": SureFrom(0)}
    settled = tiers.settle(heads, Tiers(), FINAL, early=early, through=False, undeniable={"a"})
    assert settled.tiers == {"a": tier, "b": 0 if early else FINAL}


def test_answers_come_in_the_order_of_the_question() -> None:
    settled = tiers.settle({"a": SureFrom(2), "b": SureFrom(0)}, Tiers(), FINAL, early=True, through=False)
    assert list(settled.answers) == list(settled.tiers) == ["a", "b"]
