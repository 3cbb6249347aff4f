from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from extproc_router.encoder import heads
from extproc_router.encoder.head_file import HeadFile, Models, Reading, Scale, Trust
from extproc_router.encoder.heads import ChoiceHead, FlagHead, Page, PairHead, View
from extproc_router.types import Classification, Flag, Pair

if TYPE_CHECKING:
    from collections.abc import Sequence


def reading(weights: list[list[float]], **changes: Any) -> Reading:
    fields: dict[str, Any] = {"bias": [0.0] * len(weights), "temperature": 1.0, "trust": None}
    return Reading(weights=weights, **(fields | {"exit_above": None, "exit_below": None} | changes))


def file(kind: Any, labels: list[str], readings: Sequence[Reading | None], **changes: Any) -> HeadFile:
    fields: dict[str, Any] = {"inputs": ["mean"], "surface": None, "threshold": None, "confidence_floor": 0.0}
    fields |= {"floor_precision": 0.0, "models": None, "enabled": True, "card": {}}
    return HeadFile(kind=kind, labels=labels, readings=list(readings), **(fields | changes))


def view(mean: list[float], tier: int = 1, focus: list[float] | None = None) -> View:
    page = Page("Some text 1.", [], list)
    return View(
        tier, page, np.array(mean, np.float32), None if focus is None else np.array(focus, np.float32), hidden=None
    )


ROWS = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]


def test_probabilities_are_the_softmax_of_the_tempered_logits() -> None:
    head = ChoiceHead(file("choice", ["law", "math", "other"], [reading(ROWS, bias=[0, 0, -1], temperature=0.5)]))
    answer = head.read(view([0.6, 0.8], tier=0), final=True)
    assert isinstance(answer, Classification)
    expected = np.exp(np.array([0.6, 0.8, -1.0]) / 0.5)
    expected /= expected.sum()
    assert list(answer.probs.values()) == pytest.approx(expected.tolist(), abs=1e-6)
    assert (answer.label, answer.confidence) == ("math", answer.probs["math"])


def test_large_logits_do_not_overflow() -> None:
    choice = ChoiceHead(file("choice", ["law", "math", "other"], [reading(ROWS, bias=[1e6, -1e6, 0.0])]))
    answer = choice.read(view([0.6, 0.8], tier=0), final=True)
    assert isinstance(answer, Classification)
    assert (answer.label, answer.confidence) == ("law", 1.0)
    flag = FlagHead(file("flag", ["alarm"], [reading([[1e6, 0.0]])], threshold=0.5))
    assert flag.read(view([-1, 0], tier=0), final=True) == Flag(0.0, raised=False)
    assert flag.read(view([1, 0], tier=0), final=True) == Flag(1.0, raised=True)


def test_a_flag_is_raised_at_its_threshold() -> None:
    head = FlagHead(file("flag", ["alarm"], [reading([[1.0, 0.0]], temperature=2.0)], threshold=0.5))
    assert head.read(view([0, 1], tier=0), final=True) == Flag(0.5, raised=True)
    answer = head.read(view([-1, 0], tier=0), final=True)
    assert isinstance(answer, Flag)
    assert answer.p == pytest.approx(1 / (1 + np.exp(0.5)))
    assert not answer.raised


def test_a_pair_adds_up() -> None:
    bias = np.log([0.5, 0.3, 0.1, 0.1]).tolist()
    head = PairHead(
        file(
            "pair",
            ["both", "strong", "weak", "neither"],
            [reading([[0.0] * 2] * 4, bias=bias)],
            models=Models("a", "b"),
        )
    )
    answer = head.read(view([1, 0], tier=0), final=True)
    assert isinstance(answer, Pair)
    assert (answer.strong, answer.weak, answer.score) == pytest.approx((0.8, 0.6, 0.6))


def test_abstaining_says_that_nothing_is_known() -> None:
    last = [reading(ROWS)]
    assert set(ChoiceHead(file("choice", ["a", "b", "c"], last)).abstain().probs.values()) == {1 / 3}
    assert FlagHead(file("flag", ["a"], last, threshold=0.1)).abstain() == Flag(0.5, raised=False)
    assert PairHead(file("pair", ["a"], last)).abstain() == Pair(0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("exits", "answered"),
    [
        ({}, (False, False, False)),
        ({"exit_above": 0.9}, (True, False, False)),
        ({"exit_below": 0.1}, (False, False, True)),
        ({"exit_above": 0.9, "exit_below": 0.1}, (True, False, True)),
    ],
)
def test_an_early_tier_answers_where_it_is_sure(exits: dict[str, float], answered: tuple[bool, ...]) -> None:
    head = FlagHead(file("flag", ["a"], [reading([[9.0, 0.0]], **exits), reading([[9.0, 0.0]])], threshold=0.5))
    means = ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0])
    assert tuple(head.read(view(mean, tier=0), final=False) is not None for mean in means) == answered
    assert all(head.read(view(mean, tier=1), final=True) is not None for mean in means)


def test_trust_decides_for_a_pair() -> None:
    trusting = reading([[0.0] * 2] * 4, trust=Trust([2.0, 0.0], 0.0), exit_above=0.8)
    head = PairHead(file("pair", ["both", "strong", "weak", "neither"], [trusting, reading([[0.0] * 2] * 4)]))
    assert head.read(view([1.0, 0.0], tier=0), final=False) is not None
    assert head.read(view([0.0, 1.0], tier=0), final=False) is None


def test_a_tier_without_a_reading_is_passed_over() -> None:
    head = ChoiceHead(file("choice", ["a", "b"], [None, reading(ROWS[:2])]))
    assert head.read(view([1, 0], tier=0), final=False) is None


def test_inputs_are_put_side_by_side_in_their_order() -> None:
    mean, focus, surface = np.ones(2, np.float32), np.full(2, 2, np.float32), np.full(3, 3.0)
    assert heads.vector(["focus", "mean"], mean, focus, None).tolist() == [2, 2, 1, 1]
    assert heads.vector(["mean", "focus", "surface"], mean, None, surface).tolist() == [1, 1, 3, 3, 3]
    many = heads.vector(["mean", "surface"], np.ones((5, 2), np.float32), None, np.ones((5, 3)))
    assert many.shape == (5, 5)


def test_surface_features_are_scaled_and_cut() -> None:
    scale = Scale(mean=[1.0] * 5, deviation=[2.0] * 5)
    assert heads.scale(scale, np.array([1.0, 3.0, -1.0, 1e9, -1e9])).tolist() == [0, 0.25, -0.25, 1.0, -1.0]


def test_surface_is_read_from_the_text() -> None:
    rows = [[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 7]
    scale = Scale(mean=[0.0] * 5, deviation=[1.0] * 5)
    head = ChoiceHead(file("choice", ["a", "b"], [reading(rows)], inputs=["mean", "surface"], surface=scale))
    answer = head.read(view([0, 0], tier=0), final=True)
    assert isinstance(answer, Classification)
    assert answer.probs["a"] == pytest.approx(1 / (1 + np.exp(-0.25 * np.log1p(12))))
