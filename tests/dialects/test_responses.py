from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.dialects.responses import Responses
from extproc_router.errors import InvalidRequest
from extproc_router.types import Modality, Request, Turn


def read(*items: Any) -> Request:
    return Responses().read(json.dumps({"model": "m", "input": items}).encode())


def test_golden(golden: Any) -> None:
    assert golden.dialect.read(golden.body) == golden.request


@pytest.mark.parametrize(("value", "kind"), [(b"7", "a number"), (b"{}", "an object"), (b"true", "a boolean")])
def test_input_of_another_type_is_refused(value: bytes, kind: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Responses().read(b'{"input":' + value + b"}")
    assert caught.value.message == f"'input' must be a string, an array or null, not {kind}."
    assert caught.value.param == "input"


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        [],
        {},
        {"type": "item_reference", "id": "msg_1"},
        {"type": "function_call", "name": 7},
        {"type": 7, "content": 7},
        {"type": "from_tomorrow", "payload": {"text": "x"}},
    ],
)
def test_what_says_nothing_is_no_turn(item: Any) -> None:
    assert read(item).turns == ()


def test_a_message_without_text_is_a_turn() -> None:
    assert read({"role": "user", "content": []}).turns == (Turn("user", ""),)


def test_parts_and_strings_without_a_message_around_them() -> None:
    request = read("a", {"type": "input_text", "text": "b"}, {"type": "input_image", "image_url": "u"})
    assert request.turns == (Turn("user", "a"), Turn("user", "b"))
    assert request.modalities == {Modality.IMAGE}


def test_a_generated_image_is_seen_but_not_read() -> None:
    request = read({"type": "image_generation_call", "result": "aGVsbG8=", "id": "ig"})
    assert request.turns == ()
    assert request.modalities == {Modality.IMAGE}


@pytest.mark.parametrize("prompt", [b"7", b"{}", b'{"variables":null}', b'{"variables":{"a":7,"b":null}}'])
def test_prompts_without_text(prompt: bytes) -> None:
    assert Responses().read(b'{"prompt":' + prompt + b"}").turns == ()


def test_too_many_items() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Responses().read(b'{"input":[' + b"0," * 10_000 + b"0]}")
    assert (caught.value.message, caught.value.param) == ("'input' is longer than 10000 items.", "input")


def test_error() -> None:
    assert json.loads(Responses().error(400, InvalidRequest("no")).body)["error"]["message"] == "no"


def test_all_that_a_tool_was_asked_is_read_and_its_answer_apart() -> None:
    item = {
        "type": "mcp_call",
        "name": "f",
        "arguments": r'{"a":"\u0070"}',
        "queries": ["q"],
        "input": "i",
        "output": "o",
    }
    assert read(item).turns == (Turn("assistant", 'f {"a":"p"} i ["q"]'), Turn("tool", "o"))


def test_objects_that_a_function_gave_back_are_read() -> None:
    output = {"type": "function_call_output", "call_id": "c", "output": {"a": {"b": "deep"}}}
    assert read(output).turns == (Turn("tool", "a\nb\ndeep"),)
