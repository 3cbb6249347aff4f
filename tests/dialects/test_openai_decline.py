"""Declining completions, read by the client that most people use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from openai import OpenAI
from pydantic import BaseModel

from extproc_router.dialects import find
from extproc_router.dialects.openai_decline import MAX_CHOICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.types import Reply

SORRY = "I can't help with that. \n\n“Sorry”"
MESSAGES: Any = [{"role": "user", "content": "Hi"}]


def decline(path: str, body: bytes) -> Reply:
    dialect = find(path)
    assert dialect is not None
    reply = dialect.decline(body, dialect.read(body), SORRY, "d-1", 1_700_000_000)
    assert reply is not None
    assert reply.status == 200
    return reply


def _answer(request: httpx2.Request) -> httpx2.Response:
    reply = decline(request.url.path, request.read())
    return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)


@pytest.fixture
def client() -> Iterator[OpenAI]:
    transport = httpx2.Client(transport=httpx2.MockTransport(_answer))
    with OpenAI(base_url="http://router.test/v1", api_key="-", http_client=transport, max_retries=0) as client:
        yield client


def data(reply: Reply) -> list[Any]:
    """The documents of a stream, which ends as OpenAI's do."""
    *events, done, rest = reply.body.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    assert dict(reply.headers)["content-type"].startswith("text/event-stream")
    return [json.loads(event.removeprefix(b"data: ")) for event in events]


def test_a_chat(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="auto", messages=MESSAGES)
    assert (answer.id, answer.created, answer.model) == ("chatcmpl-d-1", 1_700_000_000, "auto")
    (choice,) = answer.choices
    assert (choice.message.content, choice.message.refusal, choice.finish_reason) == (SORRY, None, "stop")
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0


@pytest.mark.parametrize("usage", [True, False])
def test_a_streamed_chat(client: OpenAI, usage: bool) -> None:
    with client.chat.completions.stream(
        model="auto", messages=MESSAGES, n=2, stream_options={"include_usage": usage}
    ) as stream:
        chunks = [event.chunk for event in stream if event.type == "chunk"]
        answer = stream.get_final_completion()
    assert [choice.message.content for choice in answer.choices] == [SORRY, SORRY]
    assert [choice.finish_reason for choice in answer.choices] == ["stop", "stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (answer.usage is not None) is usage
    assert [chunk.usage is not None for chunk in chunks] == [False] * 6 + [True] * usage


class Weather(BaseModel):
    degrees: int


@pytest.mark.parametrize("stream", [True, False])
def test_a_chat_that_wants_json(client: OpenAI, stream: bool) -> None:
    if stream:
        with client.chat.completions.stream(model="auto", messages=MESSAGES, response_format=Weather) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = client.chat.completions.parse(model="auto", messages=MESSAGES, response_format=Weather)
    message = answer.choices[0].message
    assert (message.content, message.refusal, message.parsed) == (None, SORRY, None)


def test_chunks_without_usage_do_not_speak_of_it() -> None:
    chunks = data(decline("/v1/chat/completions", b'{"stream":true,"messages":[]}'))
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": SORRY},
        {},
    ]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["id"] for chunk in chunks} == {"chatcmpl-d-1"}
    assert not any("usage" in chunk for chunk in chunks)


@pytest.mark.parametrize(
    ("n", "choices"),
    [("3", 3), ("null", 1), ("0", 1), ("-2", 1), ('"3"', 1), ("[]", 1), ("1e9", MAX_CHOICES), ("128", MAX_CHOICES)],
)
def test_as_many_choices_as_were_asked_for(n: str, choices: int) -> None:
    reply = decline("/v1/chat/completions", f'{{"messages":[],"n":{n}}}'.encode())
    assert [choice["index"] for choice in json.loads(reply.body)["choices"]] == list(range(choices))


@pytest.mark.parametrize("options", ["null", "[]", "{}", '"x"', '{"include_usage":1}'])
@pytest.mark.parametrize("wanted", ["null", '"json_schema"', "{}", '{"type":7}', '{"type":"json_object"}'])
def test_odd_wishes_are_none(options: str, wanted: str) -> None:
    body = f'{{"messages":[],"stream":true,"stream_options":{options},"response_format":{wanted}}}'
    assert data(decline("/v1/chat/completions", body.encode()))[1]["choices"][0]["delta"] == {"content": SORRY}


def test_a_completion(client: OpenAI) -> None:
    answer = client.completions.create(model="auto", prompt=["a", "b"], n=2)
    assert (answer.id, answer.created, answer.model) == ("cmpl-d-1", 1_700_000_000, "auto")
    assert [(choice.index, choice.text, choice.finish_reason) for choice in answer.choices] == [
        (index, SORRY, "stop") for index in range(4)
    ]
    assert answer.usage is not None


def test_a_streamed_completion(client: OpenAI) -> None:
    with client.completions.create(
        model="auto", prompt="a", stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    assert [choice.text for chunk in chunks for choice in chunk.choices] == [SORRY]
    assert chunks[-1].usage is not None


@pytest.mark.parametrize(
    ("prompt", "choices"),
    [
        ("null", 1),
        ('""', 1),
        ("[]", 1),
        ("[1,2,3]", 1),
        ("[[1],[2,3]]", 2),
        ('["a","b","c"]', 3),
        (json.dumps(["a"] * 1000), 128),
    ],
)
def test_choices_for_each_prompt(prompt: str, choices: int) -> None:
    reply = decline("/v1/completions", f'{{"prompt":{prompt}}}'.encode())
    assert len(json.loads(reply.body)["choices"]) == choices
