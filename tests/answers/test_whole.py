from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.answers import read, strip
from extproc_router.answers.apis import APIS
from extproc_router.attempts import Heard

NAMES = """
choices index message delta text content refusal tool_calls function_call function name arguments finish_reason logprobs
token_logprobs logprob usage prompt_tokens output_tokens error data output status type part item response reason input
incomplete_details stop_reason content_block partial_json output_index
"""
WORDS = ["output_text", "message", "function_call", "tool_use", "text", "stop", "completed", "incomplete", "refusal"]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4),
    st.sampled_from(WORDS),
)  # fmt: skip
ODD = st.recursive(
    SCALARS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), values, max_size=5),
    max_leaves=25,
)
apis = pytest.mark.parametrize("api", sorted(APIS))


@apis
@given(value=ODD)
def test_odd_answers_are_read_or_broken(api: str, value: Any) -> None:
    body = json.dumps(value).encode()
    assert isinstance(read(api, body), Heard)
    json.loads(strip(api, body, logprobs=True))


@apis
@given(body=st.binary(max_size=64))
def test_no_bytes_make_it_raise(api: str, body: bytes) -> None:
    assert read(api, body).broken or body.strip().startswith(b"{")
    assert strip(api, body, logprobs=True) == body


@apis
@pytest.mark.parametrize("body", [b'{"choices":' * 5000, b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}"])
def test_depth_is_no_way_in(api: str, body: bytes) -> None:
    assert read(api, body) == Heard(broken=True)
    assert strip(api, body, logprobs=True) is body


PLACE = "<the log-probabilities>"
LOGPROBS = st.one_of(
    st.builds(
        lambda values, key: {key: values},
        st.lists(st.builds(lambda value: {"token": "}]", "logprob": value}, st.floats(-9, 0)), max_size=3),
        st.sampled_from(["content", "token_logprobs"]),
    ),
    st.just([]),
    st.just("odd"),
)


@st.composite
def answered(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A chat completion, and what shall be left of it."""
    choices: list[dict[str, Any]] = []
    spellings: list[str] = []
    for index in range(draw(st.integers(1, 3))):
        choice = {
            "index": index,
            "message": {
                "content": draw(st.text(max_size=9)),
                **draw(st.fixed_dictionaries({}, optional={"logprobs": ODD})),
            },
        }
        if draw(st.booleans()):
            choice["logprobs"] = PLACE
            spellings.append(json.dumps(draw(LOGPROBS), indent=draw(st.sampled_from([None, 2]))))
        choices.append(choice)
    document = {"id": draw(st.text(max_size=3)), "logprobs": draw(ODD), "choices": choices, "usage": None}
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    stripped = text
    for spelling in spellings:
        text = text.replace(json.dumps(PLACE), spelling, 1)
        stripped = stripped.replace(json.dumps(PLACE), "null", 1)
    return text.encode("utf-8", "surrogatepass"), stripped.encode("utf-8", "surrogatepass")


@given(answered())
def test_only_log_probabilities_are_stripped(answer: tuple[bytes, bytes]) -> None:
    body, stripped = answer
    assert strip("chat_completions", body, logprobs=True) == stripped
    assert strip("chat_completions", body, logprobs=False) is body
    assert strip("chat_completions", stripped, logprobs=True) is stripped


def test_half_a_pair_of_surrogates_moves_nothing() -> None:
    body = rb'{"choices": [{"message": {"content": "\ud83d"}, "logprobs": {"content": []}}]}'
    assert strip("chat_completions", body, logprobs=True) == body.replace(b'{"content": []}', b"null")
    assert read("chat_completions", body).text == "\ufffd"


def test_an_unknown_api_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        read("gopher", b"{}")
