"""Read by the openai package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.simulator import ModelServer

ASK: dict[str, Any] = {"model": "m", "input": "hi"}
LOGPROBS: dict[str, Any] = {**ASK, "include": ["message.output_text.logprobs"]}


@pytest.fixture
def client(small: ModelServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"http://127.0.0.1:{small.port}/v1", api_key="none", max_retries=0) as client:
        yield client


def logprobs_of(response: Any) -> list[float]:
    return [token.logprob for token in response.output[0].content[0].logprobs]


def test_log_probabilities_are_the_same_whole_and_streamed(client: OpenAI) -> None:
    whole = client.responses.create(**LOGPROBS)
    events = list(client.responses.create(**LOGPROBS, stream=True))

    assert len(logprobs_of(whole)) == 5
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    assert [token.logprob for delta in deltas for token in delta.logprobs] == logprobs_of(whole)
    assert events[-1].type == "response.completed"
    assert logprobs_of(events[-1].response) == logprobs_of(whole)
    assert logprobs_of(client.responses.create(**ASK)) == []
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_the_clients_own_stream_helper_puts_it_together(client: OpenAI) -> None:
    with client.responses.stream(**LOGPROBS) as stream:
        final = stream.get_final_response()
    assert final.output_text == "m on small says hello."
    assert final.usage is not None


def test_an_incomplete_one(small: ModelServer, client: OpenAI) -> None:
    small.behaviour = Behaviour(answer="truncated")
    whole = client.responses.create(**ASK)
    *_, last = client.responses.create(**ASK, stream=True)

    assert (whole.status, whole.output_text) == ("incomplete", "m on ")
    assert whole.incomplete_details is not None
    assert whole.incomplete_details.reason == "max_output_tokens"
    assert last.type == "response.incomplete"


def test_a_tool_call_and_a_refusal(small: ModelServer, client: OpenAI) -> None:
    tools: Any = [{"type": "function", "name": "f", "parameters": {"properties": {"city": {"type": "string"}}}}]
    small.behaviour = Behaviour(answer="tool_call")
    [call] = client.responses.create(**ASK, tools=tools).output
    events = list(client.responses.create(**ASK, tools=tools, stream=True))
    assert call.type == "function_call"
    assert (call.name, call.arguments) == ("f", '{"city": "a"}')
    deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert "".join(deltas) == call.arguments

    small.behaviour = Behaviour(answer="marked_refusal")
    whole: Any = client.responses.create(**ASK)
    events = list(client.responses.create(**ASK, stream=True))
    assert whole.output[0].content[0].type == "refusal"
    refused = [event.delta for event in events if event.type == "response.refusal.delta"]
    assert "".join(refused) == whole.output[0].content[0].refusal
