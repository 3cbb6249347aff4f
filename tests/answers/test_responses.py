from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.answers import Stream, read, strip
from extproc_router.attempts import Called, Heard, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

LOGPROBS = [{"token": "a", "logprob": -0.5, "top_logprobs": []}, {"token": "b", "logprob": -1}]
TEXT = {"type": "output_text", "text": "ab", "annotations": [], "logprobs": LOGPROBS}
MESSAGE = {"type": "message", "role": "assistant", "content": [TEXT]}
THOUGHT = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def response(*output: Any, **members: Any) -> bytes:
    return json.dumps(
        {"object": "response", "status": "completed", "error": None, "output": output, **members}
    ).encode()


def test_a_text() -> None:
    heard = read("responses", response(THOUGHT, MESSAGE, usage=USAGE))
    assert heard == Heard("ab", finish="stop", tokens=(-0.5, -1.0), usage=Usage(3, 2))


def test_a_call() -> None:
    assert read("responses", response(CALL, CALL)) == Heard(finish="tool_calls", calls=(Called("f", "{}"),) * 2)


def test_a_refusal() -> None:
    message = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    assert read("responses", response(message)) == Heard(refusal="No.", finish="stop")


@pytest.mark.parametrize(
    ("members", "finish", "complete"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length", True),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter", True),
        ({"status": "incomplete", "incomplete_details": {"reason": "rain"}}, "", True),
        ({"status": "incomplete", "incomplete_details": None}, "", True),
        ({"status": "in_progress"}, "", False),
        ({"status": None}, "", True),
    ],
)
def test_why_it_ended(members: dict[str, Any], finish: str, complete: bool) -> None:
    heard = read("responses", response(MESSAGE, **members))
    assert (heard.finish, heard.complete, heard.broken) == (finish, complete, False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"error": {"message": "no"}}',
        response(error={"code": "server_error"}),
        response(status="failed"),
        response()[:-1],
    ],
)
def test_no_answer(body: bytes) -> None:
    assert read("responses", body).broken


def test_log_probabilities_are_emptied() -> None:
    body = response(THOUGHT, MESSAGE, CALL, MESSAGE)
    assert strip("responses", body, logprobs=True) == body.replace(json.dumps(LOGPROBS).encode(), b"[]")


EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"status": "in_progress", "output": [], "error": None}},
    {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": []}},
    {"type": "response.content_part.added", "output_index": 0, "part": {**TEXT, "text": "", "logprobs": []}},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "a", "logprobs": LOGPROBS[:1]},
    {"type": "response.output_text.delta", "output_index": 0, "delta": "b", "logprobs": LOGPROBS[1:]},
    {"type": "response.output_text.done", "output_index": 0, "text": "ab", "logprobs": LOGPROBS},
    {"type": "response.content_part.done", "output_index": 0, "part": TEXT},
    {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
    {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{"},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "}"},
    {"type": "response.function_call_arguments.done", "output_index": 1, "arguments": "{}"},
    {"type": "response.output_item.done", "output_index": 1, "item": CALL},
    {"type": "response.output_item.done", "output_index": 2, "item": {**CALL, "name": "whole"}},
    {"type": "response.completed", "response": json.loads(response(MESSAGE, CALL, usage=USAGE))},
]  # fmt: skip


def test_a_stream(streamed: Callable[..., Heard]) -> None:
    heard = streamed("responses", *EVENTS)
    calls = (Called("f", "{}"), Called("whole", "{}"))
    assert (heard.text, heard.calls, heard.tokens) == ("ab", calls, (-0.5, -1.0))
    assert (heard.finish, heard.usage, heard.complete, heard.broken) == ("tool_calls", Usage(3, 2), True, False)
    assert not streamed("responses", *EVENTS[:-1]).complete


def test_a_stream_is_stripped_wherever_log_probabilities_are_repeated() -> None:
    stream = Stream("responses", strips_logprobs=True, strips_usage=True)
    for event in EVENTS:
        data = json.dumps(event)
        expected = data
        for part in (LOGPROBS, LOGPROBS[:1], LOGPROBS[1:]):
            expected = expected.replace(json.dumps(part), "[]")
        assert stream.feed(f"event: e\ndata: {data}\n\n".encode()) == f"event: e\ndata: {expected}\n\n".encode()
    assert stream.ended


def test_a_stream_that_refuses(streamed: Callable[..., Heard]) -> None:
    events = [{"type": "response.refusal.delta", "delta": delta} for delta in ("N", "o")]
    assert streamed("responses", *events).refusal == "No"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "message": "no"},
        {"error": {"message": "no"}},
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error"}}},
        {"type": "response.failed"},
    ],
)
def test_a_stream_that_fails(event: dict[str, Any], streamed: Callable[..., Heard]) -> None:
    heard = streamed("responses", *EVENTS[:4], event)
    assert heard.broken
    assert heard.text == "a"


def test_an_end_that_says_nothing_is_one(streamed: Callable[..., Heard]) -> None:
    assert streamed("responses", {"type": "response.completed"}) == Heard()
