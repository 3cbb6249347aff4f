from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.answers import read, strip
from extproc_router.attempts import Called, Heard, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
TEXT = {"type": "text", "text": "Hello."}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
USAGE = {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2}


def message(*content: Any, **members: Any) -> bytes:
    written = {"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn", **members}
    return json.dumps(written).encode()


def test_a_message() -> None:
    heard = read("anthropic_messages", message(THOUGHT, TEXT, TEXT, usage=USAGE))
    assert heard == Heard("Hello.Hello.", finish="stop", usage=Usage(7, 2))


def test_a_call() -> None:
    heard = read("anthropic_messages", message(CALL, CALL, {**CALL, "type": "server_tool_use"}, stop_reason="tool_use"))
    assert heard == Heard(finish="tool_calls", calls=(Called("f", '{"a": 1}'),) * 2)


@pytest.mark.parametrize(
    ("written", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("pause_turn", ""),
        (None, ""),
    ],
)
def test_why_it_ended(written: str | None, finish: str, streamed: Callable[..., Heard]) -> None:
    heard = read("anthropic_messages", message(TEXT, stop_reason=written))
    assert (heard.finish, bool(heard.refusal)) == (finish, written == "refusal")
    heard = streamed("anthropic_messages", {"type": "message_delta", "delta": {"stop_reason": written}})
    assert (heard.finish, bool(heard.refusal)) == (finish, written == "refusal")
    assert heard.complete == (written is not None)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", message()[:-1], b'{"type": "error", "error": {"type": "overloaded_error"}}']
)
def test_no_answer(body: bytes) -> None:
    assert read("anthropic_messages", body).broken


def test_nothing_is_stripped() -> None:
    body = message(TEXT, logprobs=[1])
    assert strip("anthropic_messages", body, logprobs=True) is body


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {**CALL, "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a": 2}'}},
    {"type": "content_block_start", "index": 3, "content_block": {**CALL, "name": "g", "input": {}}},
    {"type": "content_block_start", "index": 4, "content_block": {**CALL, "type": "server_tool_use"}},
    {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
]


def test_a_stream(streamed: Callable[..., Heard]) -> None:
    heard = streamed("anthropic_messages", *EVENTS)
    calls = (Called("f", '{"a": 2}'), Called("g", "{}"))
    assert heard == Heard("Hello", finish="tool_calls", calls=calls, pieces=5, usage=Usage(7, 9))


def test_a_stream_that_fails(streamed: Callable[..., Heard]) -> None:
    heard = streamed("anthropic_messages", *EVENTS[:7], {"type": "error", "error": {"type": "overloaded_error"}})
    assert heard.broken
    assert (heard.text, heard.complete) == ("Hello", False)
