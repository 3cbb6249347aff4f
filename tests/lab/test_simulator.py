from __future__ import annotations

import json
import socket
from contextlib import suppress
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest
from openai import APIStatusError, OpenAI

from extproc_router.lab import simulator
from extproc_router.lab.simulation import connection as connections
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.simulator import KEEP, ModelServer, simulators

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def client(small: ModelServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"http://127.0.0.1:{small.port}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_the_openai_client_reads_all_its_apis(client: OpenAI) -> None:
    said = "m on small says hello."

    assert client.chat.completions.create(**ASK).choices[0].message.content == said
    assert client.completions.create(model="m", prompt="hi").choices[0].text == said
    assert client.responses.create(model="m", input="hi").output_text == said
    assert client.embeddings.create(model="m", input=["a", "b"]).data[1].embedding == [0.5, -0.25, 0.125, 0.0]
    assert [model.id for model in client.models.list()] == ["small"]


def test_the_openai_client_reads_all_streams(client: OpenAI) -> None:
    said = "m on small says hello."

    chat = list(client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True}))
    completion = client.completions.create(model="m", prompt="hi", stream=True)
    response = client.responses.create(model="m", input="hi", stream=True)

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chat if chunk.choices) == said
    assert chat[-1].usage is not None
    assert "".join(chunk.choices[0].text for chunk in completion) == said
    assert "".join(event.delta for event in response if event.type == "response.output_text.delta") == said


def test_requests_are_kept_byte_for_byte(small: ModelServer) -> None:
    body = b'{"model":"m", "x":\t1.50, "\\u0061":"\xc3\xa9"}'
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    connection.request("POST", "/v1/chat/completions?a=b", body, {"X-Twice": "1", "x-twice": "2"})
    assert json.loads(connection.getresponse().read())["model"] == "m"
    connection.close()

    [received] = small.received
    assert (received.cluster, received.method, received.path) == ("small", "POST", "/v1/chat/completions?a=b")
    assert received.body == body
    assert received.header("x-twice") == "1, 2"
    assert received.header("absent") is None


def test_chunked_bodies_are_put_together(small: ModelServer) -> None:
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    connection.request("POST", "/v1/files", iter([b"abc", b"def"]), encode_chunked=True)
    assert json.loads(connection.getresponse().read())["bytes"] == 6
    connection.close()

    assert small.received[0].body == b"abcdef"


def test_connections_are_kept_alive_and_health_is_not_recorded(small: ModelServer) -> None:
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    for method, path in (("GET", "/health"), ("HEAD", "/a"), ("GET", "/b")):
        connection.request(method, path)
        reply = connection.getresponse()
        assert (reply.status, reply.will_close) == (200, False)
        reply.read()
    connection.close()

    assert [request.path for request in small.received] == ["/a", "/b"]
    assert small.total == 2


def test_memory_is_bounded(small: ModelServer) -> None:
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    for number in range(KEEP + 5):
        connection.request("GET", f"/{number}")
        connection.getresponse().read()
    connection.close()

    assert (len(small.received), small.total) == (KEEP, KEEP + 5)
    assert small.received[0].path == "/5"


def test_memory_is_bounded_in_bytes_too(small: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "KEEP_BYTES", 10)
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    for length in (6, 4, 5, 11):
        connection.request("POST", "/a", b"x" * length)
        connection.getresponse().read()
        assert sum(len(request.body) for request in small.received) <= 11
    connection.close()

    assert [len(request.body) for request in small.received] == [11]


def test_a_body_beyond_the_bound_is_413(small: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_BODY_BYTES", 10)
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    connection.request("POST", "/a", b"x" * 11)
    reply = connection.getresponse()
    assert (reply.status, json.loads(reply.read())["error"]["code"]) == (413, 413)
    connection.close()
    assert small.total == 0


def test_connections_are_bounded(small: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "MAX_CONNECTIONS", 0)
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as surplus, suppress(ConnectionResetError):
        assert surplus.recv(1) == b""


def test_a_behaviour_stays_and_steps_are_played_one_each(small: ModelServer, client: OpenAI) -> None:
    def ask() -> str:
        try:
            return client.chat.completions.create(**ASK).choices[0].message.content or ""
        except APIStatusError as error:
            return str(error.status_code)

    said = "m on small says hello."
    small.play(Behaviour(status=429), Behaviour(status=503), Behaviour())
    assert [ask() for _ in range(4)] == ["429", "503", said, said]
    small.behaviour = Behaviour(status=500)
    assert [ask(), ask()] == ["500", "500"]
    assert small.behaviour.status == 500
    small.clear()
    assert ask() == said


def test_metrics_tell_the_load_and_are_not_recorded(small: ModelServer) -> None:
    small.behaviour = Behaviour(status=500, requests_waiting=3)
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read()
    connection.close()

    assert b'vllm:num_requests_waiting{engine="0",model_name="small"} 3.0' in page
    assert b'vllm:num_requests_running{engine="0",model_name="small"} 0.0' in page
    assert small.total == 0


def test_it_can_be_told_to_fail(small: ModelServer) -> None:
    small.status = 503
    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    seen = []
    for path in ("/v1/chat/completions", "/health"):
        connection.request("GET", path)
        reply = connection.getresponse()
        reply.read()
        seen.append(reply.status)
    connection.close()

    assert seen == [503, 200]


def test_what_is_no_http_ends_the_connection_and_not_the_server(small: ModelServer) -> None:
    with socket.create_connection(("127.0.0.1", small.port), timeout=10) as junk:
        junk.sendall(b"\x00\x01\x02\r\n\r\n")
        assert junk.recv(100) == b""

    connection = HTTPConnection("127.0.0.1", small.port, timeout=10)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_closing_ends_open_connections() -> None:
    with simulators(["one"]) as servers:
        idle = socket.create_connection(("127.0.0.1", servers["one"].port), timeout=10)
        idle.sendall(b"HEAD /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert idle.recv(15) == b"HTTP/1.1 200 OK"
    with idle:
        while idle.recv(1000):
            pass


def test_one_that_is_down_refuses_and_comes_back_where_it_was(small: ModelServer, client: OpenAI) -> None:
    assert client.chat.completions.create(**ASK).model == "m"
    port = small.port
    small.go_down()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    small.come_back()
    assert (small.port, client.chat.completions.create(**ASK).model) == (port, "m")
