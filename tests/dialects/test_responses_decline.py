from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from openai import OpenAI
from pydantic import BaseModel

from extproc_router.dialects import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.types import Reply

SORRY = "I can't help with that."


def decline(body: bytes) -> Reply:
    dialect = find("/v1/responses")
    assert dialect is not None
    reply = dialect.decline(body, dialect.read(body), SORRY, "d-1", 1_700_000_000)
    assert reply is not None
    assert reply.status == 200
    return reply


def _answer(request: httpx2.Request) -> httpx2.Response:
    reply = decline(request.read())
    return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)


@pytest.fixture
def client() -> Iterator[OpenAI]:
    transport = httpx2.Client(transport=httpx2.MockTransport(_answer))
    with OpenAI(base_url="http://router.test/v1", api_key="-", http_client=transport, max_retries=0) as client:
        yield client


class Weather(BaseModel):
    degrees: int


def test_a_response(client: OpenAI) -> None:
    answer = client.responses.create(model="auto", input="Hi")
    assert (answer.id, answer.created_at, answer.model) == ("resp_d-1", 1_700_000_000, "auto")
    assert (answer.output_text, answer.status, answer.error) == (SORRY, "completed", None)
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0


def test_a_streamed_response(client: OpenAI) -> None:
    with client.responses.stream(model="auto", input="Hi") as stream:
        events = list(stream)
        answer = stream.get_final_response()
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert answer.output_text == SORRY


@pytest.mark.parametrize("stream", [True, False])
def test_a_response_that_wants_json(client: OpenAI, stream: bool) -> None:
    if stream:
        with client.responses.stream(model="auto", input="Hi", text_format=Weather) as events:
            kinds = [event.type for event in events]
            answer: Any = events.get_final_response()
        assert kinds[4:6] == ["response.refusal.delta", "response.refusal.done"]
    else:
        answer = client.responses.parse(model="auto", input="Hi", text_format=Weather)
    (part,) = answer.output[0].content
    assert (part.type, part.refusal, answer.output_parsed) == ("refusal", SORRY, None)


def test_events_are_numbered_and_named() -> None:
    *events, rest = decline(b'{"stream":true,"input":"Hi"}').body.split(b"\n\n")
    assert rest == b""
    for number, event in enumerate(events):
        name, data = event.split(b"\n")
        document = json.loads(data.removeprefix(b"data: "))
        assert document["sequence_number"] == number
        assert name == b"event: " + document["type"].encode()


@pytest.mark.parametrize("text", ["null", "[]", '"x"', "{}", '{"format":null}', '{"format":{"type":"text"}}'])
def test_text_unless_a_schema_is_given(text: str) -> None:
    answer = json.loads(decline(f'{{"input":"Hi","text":{text}}}'.encode()).body)
    assert answer["output"][0]["content"][0]["text"] == SORRY
