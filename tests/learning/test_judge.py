from __future__ import annotations

import json
from math import log
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import UnclearAnswer
from extproc_router.learning.judge import Kind, Question


def completion(text: str | None = None, alternatives: dict[str, float] | None = None) -> bytes:
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}}
    if alternatives is not None:
        top = [{"token": token, "logprob": value, "bytes": None} for token, value in alternatives.items()]
        choice["logprobs"] = {"content": [{"token": "?", "logprob": 0, "top_logprobs": top}]}
    return json.dumps({"object": "chat.completion", "choices": [choice]}).encode()


class TestRating:
    def test_is_the_probability_of_an_insufficient_rating(self) -> None:
        answer = completion("4", {"4": log(0.5), " 2": log(0.2), "1": log(0.1), "the": log(0.2)})
        assert Question("j", Kind.RATING, sufficient=4).read(answer) == pytest.approx(0.3 / 0.8)
        assert Question("j", Kind.RATING, sufficient=2).read(answer) == pytest.approx(0.1 / 0.8)

    @pytest.mark.parametrize("answer", [completion("4"), completion("4", {}), completion("4", {"four": -0.1})])
    def test_needs_log_probabilities(self, answer: bytes) -> None:
        with pytest.raises(UnclearAnswer):
            Question("j", Kind.RATING).read(answer)


class TestYesNo:
    def test_is_the_probability_of_yes(self) -> None:
        answer = completion("Yes", {"Yes": log(0.4), " yes": log(0.2), "No": log(0.2), "Maybe": log(0.2)})
        assert Question("j").read(answer) == pytest.approx(0.75)

    @pytest.mark.parametrize(("text", "need"), [("Yes.", 1.0), ("no", 0.0), ("**NO**", 0.0), ("I say: yes!", 1.0)])
    def test_falls_back_on_the_text(self, text: str, need: float) -> None:
        assert Question("j").read(completion(text)) == need

    @pytest.mark.parametrize("text", ["", "yes and no", "notable", "yesterday", None])
    def test_anything_else_is_unclear(self, text: str | None) -> None:
        with pytest.raises(UnclearAnswer):
            Question("j").read(completion(text))


class TestNumber:
    @pytest.mark.parametrize(("text", "need"), [("0", 0.0), ("100", 1.0), ("About 37.5.", 0.375)])
    def test_is_a_share_of_100(self, text: str, need: float) -> None:
        assert Question("j", Kind.NUMBER).read(completion(text)) == need

    @pytest.mark.parametrize("text", ["", "-1", "101", "3 of 10", "many", "1" * 400])
    def test_anything_else_is_unclear(self, text: str) -> None:
        with pytest.raises(UnclearAnswer):
            Question("j", Kind.NUMBER).read(completion(text))


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{}]}', b"\xff", b"[" * 100_000])
def test_what_is_no_chat_completion_is_unclear(answer: bytes) -> None:
    with pytest.raises(UnclearAnswer):
        Question("j").read(answer)


@given(
    st.sampled_from(Kind),
    st.one_of(st.none(), st.text(), st.from_regex(r"-?[0-9]{1,3}|yes|no", fullmatch=True)),
    st.one_of(
        st.none(),
        st.dictionaries(st.sampled_from(["1", "2", "5", "yes", " No", "x"]), st.floats(-1e300, 1e300), max_size=6),
    ),
)
def test_every_answer_is_in_the_unit_interval_or_unclear(
    kind: Kind, text: str | None, alternatives: dict[str, float] | None
) -> None:
    try:
        need = Question("j", kind).read(completion(text, alternatives))
    except UnclearAnswer:
        return
    assert 0.0 <= need <= 1.0 + 1e-12


def test_an_unclear_answer_is_not_repeated() -> None:
    with pytest.raises(UnclearAnswer) as raised:
        Question("j").read(completion("my secret"))
    assert "secret" not in str(raised.value)


def test_the_body_asks_for_what_is_read() -> None:
    body = json.loads(Question("judge", Kind.RATING).body("Why?"))
    assert body["model"] == "judge"
    assert body["messages"][1] == {"role": "user", "content": "Why?"}
    assert body["messages"][0]["role"] == "system"
    assert (body["temperature"], body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (0, 1, True, 20)
    assert "logprobs" not in json.loads(Question("judge", Kind.NUMBER).body("Why?"))
    assert json.loads(Question("j", instructions="Be brief.").body("x"))["messages"][0]["content"] == "Be brief."


@given(st.text(st.characters(), max_size=400))
def test_every_prompt_makes_a_bounded_valid_body(prompt: str) -> None:
    body = json.loads(Question("j", max_characters=64).body(prompt))
    assert len(body["messages"][1]["content"]) <= 64


def test_a_long_prompt_keeps_its_head_and_tail() -> None:
    content = json.loads(Question("j", max_characters=100).body("a" * 500 + "b" * 500))["messages"][1]["content"]
    assert content.startswith("aaa")
    assert content.endswith("bbb")
    assert "[...]" in content
