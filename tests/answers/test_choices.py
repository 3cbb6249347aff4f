from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.answers import read
from extproc_router.attempts import Called, Heard, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
]


def chat(message: dict[str, Any], **members: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return json.dumps({"object": "chat.completion", "choices": [choice], **members}).encode()


def chunk(delta: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, **members}]}


def test_a_chat() -> None:
    body = chat(
        {"content": "Hello.", "refusal": None, "reasoning_content": "Hm."},
        usage={"prompt_tokens": 3, "completion_tokens": 2},
    )
    assert read("chat_completions", body) == Heard("Hello.", finish="stop", usage=Usage(3, 2))


def test_a_chat_that_refuses_and_calls() -> None:
    heard = read("chat_completions", chat({"content": None, "refusal": "No.", "tool_calls": CALLS}))
    assert (heard.text, heard.refusal) == ("", "No.")
    assert heard.calls == (Called("f", '{"a": 1}'), Called("g", ""))
    older = read("chat_completions", chat({"function_call": {"name": "f", "arguments": "{}"}}))
    assert older.calls == (Called("f", "{}"),)


def test_the_first_choice_counts_wherever_it_stands() -> None:
    choices = [
        {"index": 1, "message": {"content": "second"}, "logprobs": {"content": [{"logprob": -9}]}},
        {"index": 0, "message": {"content": "first"}, "logprobs": {"content": [{"logprob": -0.5}]}},
    ]
    heard = read("chat_completions", json.dumps({"choices": choices}).encode())
    assert (heard.text, heard.tokens) == ("first", (-0.5,))


@pytest.mark.parametrize(
    ("written", "finish"),
    [
        *[(same, same) for same in ("stop", "length", "tool_calls", "content_filter")],
        ("function_call", "tool_calls"),
        ("abort", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_why_it_ended(written: object, finish: str, streamed: Callable[..., Heard]) -> None:
    body = json.dumps({"choices": [{"index": 0, "text": "a", "finish_reason": written}]}).encode()
    heard = read("completions", body)
    assert (heard.finish, heard.complete) == (finish, True)
    heard = streamed("chat_completions", chunk({"content": "a"}, finish_reason=written))
    assert (heard.finish, heard.complete) == (finish, isinstance(written, str))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": "none"}',
        b'{"error": {"message": "no"}}',
        b'{"error": "no"}',
        b'{"object": "error", "message": "no", "code": 400}',
        b'{"choices": [{"message": {"content": "half"}}], "error": {"code": 502}}',
        b'{"choices": [{"index": 0, "message": {"content": "cut o',
    ],
)
@pytest.mark.parametrize("api", ["chat_completions", "completions"])
def test_no_answer(api: str, body: bytes) -> None:
    assert read(api, body).broken


def test_a_completion() -> None:
    logprobs = {"tokens": ["a", "b"], "token_logprobs": [-0.5, 0.0], "top_logprobs": [{}, {}], "text_offset": [0, 1]}
    body = json.dumps(
        {"choices": [{"index": 0, "text": "ab", "finish_reason": "length", "logprobs": logprobs}]}
    ).encode()
    assert read("completions", body) == Heard("ab", finish="length", tokens=(-0.5, 0.0))


def test_a_streamed_chat(streamed: Callable[..., Heard]) -> None:
    heard = streamed(
        "chat_completions",
        chunk({"role": "assistant", "content": ""}, logprobs=None),
        chunk({"reasoning_content": "Hm."}),
        chunk({"content": "Hel"}, logprobs={"content": [{"token": "Hel", "logprob": -0.25}]}),
        {"choices": [{"index": 1, "delta": {"content": "another"}}]},
        chunk({"content": "lo"}, logprobs={"content": [{"token": "lo", "logprob": -0.5}]}),
        chunk({}, finish_reason="stop"),
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        "[DONE]",
    )
    assert heard == Heard("Hello", finish="stop", tokens=(-0.25, -0.5), pieces=2, usage=Usage(3, 2))


def test_streamed_calls(streamed: Callable[..., Heard]) -> None:
    def calls(*calls: dict[str, Any]) -> dict[str, Any]:
        return chunk({"tool_calls": calls})

    heard = streamed(
        "chat_completions",
        calls({"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}),
        calls({"index": 0, "function": {"arguments": '{"a"'}}),
        calls(
            {"index": 0, "function": {"arguments": ": 1}"}}, {"index": 1, "function": {"name": "g", "arguments": "{}"}}
        ),
    )
    assert heard == Heard(calls=(Called("f", '{"a": 1}'), Called("g", "{}")), pieces=4, complete=False)
    older = [chunk({"function_call": {"name": "f", "arguments": "{"}}), chunk({"function_call": {"arguments": "}"}})]
    assert streamed("chat_completions", *older).calls == (Called("f", "{}"),)
    without_index = [calls(*CALLS[:1]), calls(*CALLS[:1])]
    assert streamed("chat_completions", *without_index).calls == (Called("f", '{"a": 1}'),) * 2


def test_a_streamed_completion(streamed: Callable[..., Heard]) -> None:
    heard = streamed(
        "completions",
        {"choices": [{"index": 0, "text": "a", "logprobs": {"token_logprobs": [-0.5]}, "finish_reason": None}]},
        {"choices": [{"index": 0, "text": "b", "logprobs": {"token_logprobs": [-1]}, "finish_reason": "length"}]},
    )
    assert heard == Heard("ab", finish="length", tokens=(-0.5, -1.0), pieces=2)


def test_an_error_within_a_stream(streamed: Callable[..., Heard]) -> None:
    heard = streamed("chat_completions", chunk({"content": "a"}, error=None), {"error": {"message": "no"}}, "[DONE]")
    assert heard.broken
    assert heard.text == "a"


def test_odd_indices_do_no_harm(streamed: Callable[..., Heard]) -> None:
    call = {"index": 10**400, "function": {"name": "f", "arguments": "{}"}}
    assert streamed("chat_completions", chunk({"tool_calls": [call]})).calls == (Called("f", "{}"),)
