"""The five client APIs, by their own client, and byte for byte."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "hi there"}]}
BODIES = {
    "/v1/chat/completions": '{"messages":[{"role":"user","content":"\\u00e9\u00e9"}],\t"model" :"MODEL",  "n":1.0e0}\n',
    "/v1/completions": '{"prompt":"once","model":"MODEL","big":123456789012345678901234, "a":1, "a":2}',
    "/v1/responses": ' {"input":"once upon" , "model" : "MODEL" }',
    "/v1/embeddings": '{"input":["a","b"],"model":"MODEL","encoding_format":"float"}',
    "/v1/messages": '{"max_tokens":5,"messages":[{"role":"user","content":"x\\ud83d\\ude00"}],"model":"MODEL"}',
}


@pytest.mark.parametrize("path", BODIES)
def test_upstream_gets_every_byte_and_another_model(house: House, path: str) -> None:
    reply = house.post(BODIES[path].replace("MODEL", "auto").encode(), path=path)

    assert reply.status == 200
    received = house.only()
    decision = house.decision(reply.headers["x-request-id"])
    assert received.body.decode() == BODIES[path].replace("MODEL", decision["model"])
    assert received.header("content-length") == str(len(received.body))
    assert reply.json()["model"] == decision["model"] != "auto"
    assert received.cluster == decision["cluster"]


@pytest.mark.parametrize("path", BODIES)
def test_a_named_model_is_reached_and_no_byte_changes(house: House, path: str) -> None:
    body = BODIES[path].replace("MODEL", "code-32b").encode()

    reply = house.post(body, path=path)

    assert reply.status == 200
    assert house.only().body == body
    assert house.only().cluster == "code"
    assert house.decision(reply.headers["x-request-id"])["reason"] == "named"


def test_chunked_uploads_are_routed_whole(house: House) -> None:
    body = house.chat("word " * 40_000, model="large-70b")

    reply = house.post(body, chunked=True)

    assert reply.status == 200
    assert (house.only().cluster, house.only().body) == ("large", body)


def test_two_megabytes_are_routed(house: House) -> None:
    body = house.chat("word " * 400_000)

    reply = house.post(body)

    assert reply.status == 200
    model = house.decision(reply.headers["x-request-id"])["model"]
    assert house.only().body == body.replace(b'"auto"', f'"{model}"'.encode())


def test_the_openai_client_without_streaming(house: House) -> None:
    chat = house.client.chat.completions.create(model="auto", **ASK)
    response = house.client.responses.create(model="large-70b", input="hi")
    vectors = house.client.embeddings.create(model="small-8b", input=["a", "b"])

    assert chat.choices[0].message.content == f"{chat.model} on {house.received[0].cluster} says hello."
    assert chat.usage is not None
    assert response.output_text == "large-70b on large says hello."
    assert [len(item.embedding) for item in vectors.data] == [4, 4]


def test_the_openai_client_with_streaming(house: House) -> None:
    chunks = list(
        house.client.chat.completions.create(
            model="code-32b", stream=True, stream_options={"include_usage": True}, **ASK
        )
    )
    events = list(house.client.responses.create(model="large-70b", input="hi", stream=True))

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == "code-32b on code says hello."
    assert chunks[-1].usage is not None
    assert events[-1].type == "response.completed"
    assert len({request.header("x-llm-decision") for request in house.received}) == 2


def test_the_first_event_does_not_wait_for_the_last(house: House) -> None:
    server = house.stack.servers["code"]
    server.pause_seconds = 0.3
    stream = house.client.chat.completions.create(model="code-32b", stream=True, **ASK)
    first = next(iter(stream))
    # The simulator counts an answer that it could not finish: it was not finished when we had its first event.
    stream.close()

    assert first.model == "code-32b"
    house.eventually(lambda: server.cut_off == 1)


def test_models_are_listed_by_the_router(house: House) -> None:
    models = [model.id for model in house.client.models.list()]

    assert {"small-8b", "large-70b", "code-32b"} <= set(models)
    assert house.client.models.retrieve("code-32b").id == "code-32b"
    assert house.received == []


def test_gzip_is_undone_for_upstream(house: House) -> None:
    body = house.chat(model="code-32b")

    reply = house.post(gzip.compress(body), [("content-encoding", "gzip"), ("content-type", "application/json")])

    assert reply.status == 200
    received = house.only()
    assert (received.cluster, received.body) == ("code", body)
    assert received.header("content-encoding") is None
    assert received.header("content-length") == str(len(body))


def test_the_clients_headers_arrive(house: House) -> None:
    house.post(house.chat(), [("authorization", "Bearer secret"), ("x-own", "1"), ("x-own", "2")])

    received = house.only()
    assert received.header("authorization") == "Bearer secret"
    assert received.header("x-own") == "1, 2"
    assert received.header("x-selected-cluster") is None


def test_the_access_log_carries_the_decision(house: House) -> None:
    reply = house.post(house.chat("Solve x^2 = 2 for x."), path="/v1/chat/completions?key=secret")

    request_id = reply.headers["x-request-id"]
    entry, decision = house.access(request_id), house.decision(request_id)
    assert entry["route"] == "chain"
    assert entry["cluster"] == decision["cluster"] == house.only().cluster
    assert entry["path"] == "/v1/chat/completions"
    assert entry["decision"]["id"] == decision["id"] == house.only().header("x-llm-decision")
    assert {key: entry["decision"][key] for key in ("model", "reason", "config_version")} == {
        key: decision[key] for key in ("model", "reason", "config_version")
    }


def test_logs_hold_no_prompt_and_no_key(house: House) -> None:
    body = house.chat("unmistakable-prompt-text")
    reply = house.post(body, [("authorization", "Bearer unmistakable-key")])

    house.access(reply.headers["x-request-id"])
    house.decision(reply.headers["x-request-id"])
    for path in house.stack.directory.iterdir():
        if path.is_file():
            assert "unmistakable" not in path.read_text(errors="replace"), path.name


def test_the_decision_log_says_what_upstream_saw(house: House) -> None:
    reply = house.post(house.chat("Write a Python function that sorts a list."))

    decision = house.decision(reply.headers["x-request-id"])
    assert decision["requested_model"] == "auto"
    assert json.loads(house.only().body)["model"] == decision["model"]
    assert decision["signals"][0]["name"] == "domain"
    assert 0 < decision["signals"][0]["confidence"] <= 1
    assert decision["total_ms"] > 0
