"""Read by the openai package."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI

from extproc_router.lab.simulation.behaviour import Behaviour, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.simulator import ModelServer

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"city": {"type": "string"}}}}}
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def client(small: ModelServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"http://127.0.0.1:{small.port}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_chat_log_probabilities_are_the_same_whole_and_streamed(client: OpenAI) -> None:
    whole = client.chat.completions.create(**ASK, logprobs=True, top_logprobs=2).choices[0]
    stream = list(client.chat.completions.create(**ASK, logprobs=True, top_logprobs=2, stream=True))

    assert whole.logprobs is not None
    content = whole.logprobs.content or []
    assert "".join(token.token for token in content) == whole.message.content
    assert all(token.logprob < 0 and len(token.top_logprobs) == 2 for token in content)
    logprobs = [chunk.choices[0].logprobs for chunk in stream]
    streamed = [token for each in logprobs if each for token in each.content or []]
    assert [(token.token, token.logprob) for token in streamed] == [(token.token, token.logprob) for token in content]


def test_what_is_not_asked_for_is_not_there(client: OpenAI) -> None:
    assert client.chat.completions.create(**ASK).choices[0].logprobs is None
    chunks = list(client.chat.completions.create(**ASK, stream=True))
    assert all(chunk.choices and chunk.choices[0].logprobs is None and chunk.usage is None for chunk in chunks)
    pieces = list(client.completions.create(model="m", prompt="p", stream=True))
    assert all(piece.choices[0].logprobs is None and piece.usage is None for piece in pieces)


def test_completions_have_theirs(client: OpenAI) -> None:
    whole = client.completions.create(model="m", prompt="p", logprobs=1)
    options: Any = {"include_usage": True}
    *chunks, usage = client.completions.create(model="m", prompt="p", logprobs=1, stream=True, stream_options=options)

    logprobs = whole.choices[0].logprobs
    assert logprobs is not None
    streamed = [chunk.choices[0].logprobs for chunk in chunks]
    assert [value for each in streamed if each for value in each.token_logprobs or []] == logprobs.token_logprobs
    assert [value for each in streamed if each for value in each.text_offset or []] == logprobs.text_offset
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert usage.usage
    assert whole.usage
    assert usage.usage.completion_tokens == whole.usage.completion_tokens == 5


def test_tool_calls(small: ModelServer, client: OpenAI) -> None:
    small.behaviour = Behaviour(answer="tool_call")
    tools: Any = [TOOL]
    whole = client.chat.completions.create(**ASK, tools=tools).choices[0]
    chunks = list(client.chat.completions.create(**ASK, tools=tools, stream=True))

    assert (whole.finish_reason, whole.message.content) == ("tool_calls", None)
    [call] = whole.message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("f", {"city": "a"})
    deltas = [each for chunk in chunks for each in chunk.choices[0].delta.tool_calls or [] if each.function]
    assert deltas[0].function
    assert deltas[0].function.name == "f"
    assert "".join((delta.function and delta.function.arguments) or "" for delta in deltas) == call.function.arguments
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("kind", "content", "refusal", "finish"),
    [
        ("marked_refusal", None, "I'm sorry, but I can't help with that.", "stop"),
        ("empty", "", None, "stop"),
        ("truncated", "m on ", None, "length"),
    ],
)
def test_other_answers(
    small: ModelServer, client: OpenAI, kind: Kind, content: str | None, refusal: str | None, finish: str
) -> None:
    small.behaviour = Behaviour(answer=kind)
    choice = client.chat.completions.create(**ASK).choices[0]
    chunks = list(client.chat.completions.create(**ASK, stream=True))

    assert (choice.message.content, choice.message.refusal, choice.finish_reason) == (content, refusal, finish)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == (content or "")
    assert "".join(chunk.choices[0].delta.refusal or "" for chunk in chunks) == (refusal or "")
    assert chunks[-1].choices[0].finish_reason == finish
