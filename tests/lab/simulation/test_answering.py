from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.lab.simulation.answering import Site, answer, beside
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.simulation.received import Received

PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/messages"]
BODY = b'{"model": "small-8b", "messages": [], "stream": false}'
SITE, GOOD = Site("small"), Behaviour()


def request(method: str, path: str, body: bytes = b"", *headers: tuple[str, str]) -> Received:
    return Received("small", method, path, headers, body)


@pytest.mark.parametrize("path", PATHS)
def test_every_api_names_the_model_that_was_asked_for(path: str) -> None:
    reply = answer(SITE, GOOD, request("POST", path + "?beta=true", BODY))

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(reply.body)["model"] == "small-8b"


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/v1/embeddings"])
def test_streams_say_in_pieces_what_the_whole_answer_says(path: str) -> None:
    whole = answer(SITE, GOOD, request("POST", path, BODY))
    stream = answer(SITE, GOOD, request("POST", path, BODY.replace(b"false", b"true")))

    assert whole.events is None
    assert b"small-8b on small says hello." in whole.body
    assert stream.events is not None
    assert stream.content_type == "text/event-stream"
    assert sum(event.tokens for event in stream.events) == whole.tokens == 5
    assert all(event.data.endswith(b"\n\n") for event in stream.events)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_what_a_model_server_cannot_read_is_400(path: str, body: bytes) -> None:
    reply = answer(SITE, GOOD, request("POST", path, body))

    assert reply.status == 400
    assert "small cannot read this" in json.loads(reply.body)["error"]["message"]


def test_unknown_paths_are_described() -> None:
    assert json.loads(answer(SITE, GOOD, request("PUT", "/v1/files/7?x=1", b"abc")).body) == {
        "cluster": "small",
        "method": "PUT",
        "path": "/v1/files/7",
        "bytes": 3,
    }


def test_models_are_listed() -> None:
    def listed(site: Site) -> list[str]:
        data: list[dict[str, Any]] = json.loads(answer(site, GOOD, request("GET", "/v1/models")).body)["data"]
        return [each["id"] for each in data]

    assert listed(SITE) == ["small"]
    assert listed(Site("small", models=("a", "b"))) == ["a", "b"]


def test_health_and_metrics_lie_beside() -> None:
    health = beside(SITE, Behaviour(status=500), request("GET", "/health"), running=0)
    metrics = beside(SITE, Behaviour(requests_waiting=3), request("GET", "/metrics?x"), running=7)

    assert health is not None
    assert (health.status, health.body) == (200, b"")
    assert metrics is not None
    assert b'vllm:num_requests_running{engine="0",model_name="small"} 7.0' in metrics.body
    assert beside(SITE, GOOD, request("POST", PATHS[0]), running=0) is None


def test_a_stated_error_comes_first_and_may_say_when_to_come_back() -> None:
    busy = Behaviour(status=429, retry_after_seconds=7, max_model_len=1)
    reply = answer(SITE, busy, request("POST", "/v1/messages", BODY))
    assert (reply.status, reply.headers) == (429, (("retry-after", "7"),))
    assert json.loads(reply.body)["error"]["type"] == "rate_limit_error"


def test_the_fault_error_is_500_for_whole_answers() -> None:
    broken = Behaviour(fault="error")
    assert answer(SITE, broken, request("POST", PATHS[0], BODY)).status == 500
    assert answer(SITE, broken, request("POST", PATHS[0], b"{")).status == 400
    assert answer(SITE, broken, request("POST", PATHS[0], BODY.replace(b"false", b"true"))).status == 200


@pytest.mark.parametrize("path", PATHS)
def test_whole_answers_tell_the_load_where_it_is_asked_for(path: str) -> None:
    asks = ("endpoint-load-metrics-format", "TEXT")
    assert dict(answer(SITE, GOOD, request("POST", path, BODY, asks)).headers).keys() == {"endpoint-load-metrics"}
    assert answer(SITE, GOOD, request("POST", path, BODY)).headers == ()
    if path != "/v1/embeddings":
        stream = answer(SITE, GOOD, request("POST", path, BODY.replace(b"false", b"true"), asks))
        assert stream.headers == ()


def test_outcomes_are_the_sites() -> None:
    body = json.dumps({"model": "m", "prompt": "p"}).encode()
    reply = answer(Site("small", outcomes={"p": True}), GOOD, request("POST", "/v1/completions", body))
    assert "The answer is certain:" in json.loads(reply.body)["choices"][0]["text"]
