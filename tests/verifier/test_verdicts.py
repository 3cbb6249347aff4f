from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.attempts import Called, Heard, Verification
from extproc_router.config.verifier_schema import SignName, Weights
from extproc_router.verifier import signs
from extproc_router.verifier.terms import Terms
from extproc_router.verifier.verdicts import CONFIDENCE, Judge

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 32, ("a", "b"), ((1.0, 1.0), (2.0, 2.0)))
SURE = Heard(text="The capital of France is Paris.", finish="stop", tokens=(-0.1, -0.01, -0.2))
UNSURE = replace(SURE, tokens=(-1.5, -0.9, -2.5))


def test_a_sure_answer_is_accepted() -> None:
    verdict = Judge(Terms()).judge(SURE, ASKED)
    assert verdict.accepted
    assert verdict.good > 0.8
    assert verdict.signs == ()
    assert verdict.features["mean_logprob"] == pytest.approx(-0.31 / 3)


def test_an_unsure_one_is_doubted_by_its_numbers() -> None:
    verdict = Judge(Terms()).judge(UNSURE, ASKED)
    assert not verdict.accepted
    assert 0.0 < verdict.good < 0.5
    assert verdict.signs == (CONFIDENCE,)


def test_the_rule_says_how_sure_is_sure() -> None:
    assert Judge(Terms()).judge(UNSURE, replace(ASKED, accept_at=0.0)).accepted
    assert not Judge(Terms()).judge(SURE, replace(ASKED, accept_at=1.0)).accepted


@pytest.mark.parametrize(
    ("heard", "sign"),
    [
        (Heard(broken=True, text="x"), "broken"),
        (Heard(text="I'm sorry, but I can't help with that."), "refusal"),
        (Heard(), "empty"),
        (Heard(text="and so", finish="length"), "truncated"),
        (Heard(text="Paris"), "json"),
        (Heard(calls=(Called("f", "{"),)), "tool_call"),
    ],
)
def test_a_hard_sign_is_doubt_whatever_the_numbers_say(heard: Heard, sign: SignName) -> None:
    asked = replace(ASKED, json_schema="{}" if sign == "json" else "", accept_at=0.0)
    sure = replace(heard, tokens=SURE.tokens)
    verdict = Judge(Terms()).judge(sure, asked)
    assert (verdict.good, verdict.accepted, verdict.signs) == (0.0, False, (sign,))
    assert Judge(Terms(ignore=frozenset({sign}))).judge(sure, asked).accepted


def test_the_signs_are_those_that_can_be_ignored() -> None:
    assert set(signs.build(Terms())) == set(get_args(SignName))


def test_all_signs_are_told() -> None:
    cut = Heard(text="", finish="length")
    assert Judge(Terms()).judge(cut, ASKED).signs == ("empty", "truncated")


def test_a_beginning_is_judged_by_what_it_can_say() -> None:
    judge = Judge(Terms())
    assert judge.judge(Heard(text="", complete=False), ASKED, partial=True).accepted
    assert judge.judge(Heard(text="The capital", complete=False, finish=""), ASKED, partial=True).accepted
    refusal = judge.judge(Heard(text="I'm sorry, but I can't assist", complete=False), ASKED, partial=True)
    assert refusal.signs == ("refusal",)
    unsure = judge.judge(replace(UNSURE, complete=False), ASKED, partial=True)
    assert unsure.signs == (CONFIDENCE,)
    assert "length" not in unsure.features


def test_what_has_not_ended_is_a_beginning() -> None:
    assert Judge(Terms()).judge(Heard(text="", complete=False), ASKED).accepted


def test_weights_come_from_the_terms() -> None:
    strict = Judge(Terms(weights=Weights(intercept=-10.0)))
    assert not strict.judge(SURE, ASKED).accepted


_HEARD = st.builds(
    Heard,
    text=st.text(max_size=300),
    refusal=st.sampled_from(["", "No."]),
    finish=st.sampled_from(["", "stop", "length", "tool_calls", "content_filter", "refusal"]),
    calls=st.lists(st.builds(Called, st.text(max_size=5), st.text(max_size=20)), max_size=2).map(tuple),
    tokens=st.lists(st.floats(), max_size=10).map(tuple),
    broken=st.booleans(),
    complete=st.booleans(),
)


@given(
    _HEARD,
    st.booleans(),
    st.floats(0, 1),
    st.sampled_from(["", "{}", '{"type": "array"}', "x"]),
    st.floats(0, 1) | st.none(),
)
def test_every_answer_has_a_verdict(
    heard: Heard, partial: bool, accept_at: float, schema: str, difficulty: float | None
) -> None:
    asked = replace(ASKED, accept_at=accept_at, json_schema=schema, difficulty=difficulty)
    verdict = Judge(Terms()).judge(heard, asked, partial=partial)
    assert 0.0 <= verdict.good <= 1.0
    assert verdict.accepted == (verdict.signs == ())
    assert set(verdict.signs) <= {*get_args(SignName), CONFIDENCE}
    assert all(abs(value) < float("inf") for value in verdict.features.values())
