from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.dialects.chat_completions import ChatCompletions
from extproc_router.errors import InvalidRequest, ModelNotFound
from extproc_router.types import Modality, Turn


def turn(**message: Any) -> Turn:
    body = json.dumps({"model": "m", "messages": [{"role": "assistant", **message}]}).encode()
    (only,) = ChatCompletions().read(body).turns
    return only


def test_golden(golden: Any) -> None:
    assert golden.dialect.read(golden.body) == golden.request


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": None},
        {"tool_calls": {"function": {"name": "f"}}},
        {"tool_calls": [None, 1, "f", [], {}, {"function": None}, {"function": "f"}, {"function": {"name": 7}}]},
        {"function_call": "f"},
        {"refusal": 7, "reasoning": {}, "reasoning_content": []},
        {"content": [None, 7, [], True, {"type": 7}, {"type": "text", "text": 7}, {"text": None}]},
        {"content": [{"type": "from_tomorrow", "text": {"worth": "nested"}, "payload": [1e300]}]},
        {"content": ""},
        {},
    ],
)
def test_what_is_malformed_within_a_message_is_for_the_upstream_to_judge(message: dict[str, Any]) -> None:
    assert turn(**message) == Turn("assistant", "")


def test_text_is_read_from_parts_of_unknown_type() -> None:
    assert turn(content=[{"type": "from_tomorrow", "text": "hello"}]).text == "hello"


def test_arguments_that_are_not_a_string_are_read_as_json() -> None:
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    assert turn(tool_calls=[call]).text == 'f {"a": 1}'


def test_reasoning_is_read_once_under_either_name() -> None:
    assert turn(reasoning="why", reasoning_content="why", content="so").text == "why\nso"


def test_an_audio_answer_of_before_needs_a_model_that_hears() -> None:
    body = b'{"messages":[{"role":"assistant","audio":{"id":"audio_1"}}]}'
    assert ChatCompletions().read(body).modalities == {Modality.AUDIO}
    assert not ChatCompletions().read(b'{"messages":[{"role":"assistant","audio":null}]}').modalities


def test_no_messages_are_for_the_upstream_to_judge() -> None:
    assert ChatCompletions().read(b'{"messages":[]}').turns == ()


def test_too_many_tool_calls() -> None:
    body = b'{"messages":[{"role":"assistant","tool_calls":[' + b"{}," * 10_000 + b"{}]}]}"
    with pytest.raises(InvalidRequest, match="more than 10000"):
        ChatCompletions().read(body)


def test_error() -> None:
    reply = ChatCompletions().error(404, ModelNotFound("x"))
    assert (reply.status, reply.headers) == (404, (("content-type", "application/json"),))
    assert json.loads(reply.body) == {
        "error": {
            "message": "The model 'x' does not exist.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        }
    }


def test_reasoning_is_read_under_both_names() -> None:
    assert turn(reasoning="a", reasoning_content="b", content="c").text == "a\nb\nc"
    assert turn(reasoning="a", reasoning_content="a").text == "a"


def test_all_that_a_function_was_asked_is_read() -> None:
    call = {"function": {"name": "f", "arguments": r'{"a":"\u0070"}', "input": "i"}}
    assert turn(tool_calls=[call]).text == 'f {"a":"p"} i'
