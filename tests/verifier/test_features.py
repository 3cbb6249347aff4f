from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.attempts import Heard, Verification
from extproc_router.verifier import features, head

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 32, ("a", "b"), ((1.0, 1.0), (2.0, 2.0)))


def test_all_that_can_be_known() -> None:
    heard = Heard(text="I think it is " + "so " * 96, tokens=(-0.1, -0.3, -2.0))
    known = features.of(heard, replace(ASKED, difficulty=0.7), early=False)
    assert known == pytest.approx(
        {
            "mean_logprob": -0.8,
            "min_logprob": -2.0,
            "low_share": 1 / 3,
            "hedges": 1.0,
            "length": math.log(101),
            "difficulty": 0.7,
        }
    )
    assert set(known) == set(head.MEANS)


def test_what_is_not_known_is_not_there() -> None:
    assert set(features.of(Heard(text="so"), ASKED, early=True)) == {"hedges"}


def test_a_short_answer_with_a_hedge_is_not_full_of_them() -> None:
    assert features.of(Heard(text="I don't know."), ASKED, early=False)["hedges"] == 2.0


def test_the_beginning_of_a_long_answer_is_read() -> None:
    known = features.of(Heard(text="word " * 1_000_000), ASKED, early=False)
    assert known["length"] < math.log(features.READ)


def test_servers_say_minus_9999_for_never() -> None:
    summary = features.logprobs((-9999.0, -0.5))
    assert summary["min_logprob"] == features.FLOOR
    assert summary["mean_logprob"] == pytest.approx((features.FLOOR - 0.5) / 2)


@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_every_summary_is_in_its_range(tokens: list[float]) -> None:
    summary = features.logprobs(tuple(tokens))
    assert features.FLOOR <= summary["min_logprob"] <= summary["mean_logprob"] + 1e-9
    assert summary["mean_logprob"] <= 0.0
    assert 0.0 <= summary["low_share"] <= 1.0
