"""HTTP/2 clients: many requests on one connection, through chains and cascades."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, served_name: org/small, cost: {input: 1, output: 2}}
  - {name: large-70b, cluster: large, cost: {input: 10, output: 20}}
signals:
  - {kind: header, name: want, header: x-want}
rules:
  - {name: cascade, when: {want: cascade}, use: [small-8b, large-70b], cascade: {accept_at: 0.5, first_tokens: 6}}
  - {name: fallback, use: [small-8b, large-70b]}
fallback: {stream_seconds: 30, answer_seconds: 30}
routing: {default: small-8b}
"""
SECONDS, READ_BYTES, MANY = 20.0, 65_536, 40
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
WANTS = pytest.mark.parametrize("want", ["fallback", "cascade"])


@pytest.fixture(scope="module")
def chained(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(chained: House) -> House:
    chained.clear()
    return chained


@dataclass
class Got:
    """What came of one stream."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reset: bool = False

    @property
    def model(self) -> str:
        """That answered, whole."""
        assert (self.headers[":status"], self.ended, self.reset) == ("200", True, False)
        assert [name for name in self.headers if name.startswith(("x-llm", "x-cascade", "x-envoy"))] == []
        models = [name for name in ("org/small", "large-70b") if f'"model": "{name}"'.encode() in self.body]
        assert len(models) == 1
        return models[0]


class Client:
    """One connection, with prior knowledge that the other side speaks HTTP/2."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.http = H2Connection(H2Configuration(header_encoding="utf-8"))
        self.http.initiate_connection()
        self.got: dict[int, Got] = {}

    def begin(self, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> int:
        stream = self.http.get_next_available_stream_id()
        self.got[stream] = Got()
        pseudo = [(":method", "POST"), (":path", "/v1/chat/completions"), (":scheme", "http"), (":authority", "x")]
        self.http.send_headers(stream, [*pseudo, *headers])
        self.http.send_data(stream, body, end_stream=True)
        self.flush()
        return stream

    def flush(self) -> None:
        self.socket.sendall(self.http.data_to_send())

    def listen(self) -> None:
        """Take in what comes next."""
        data = self.socket.recv(READ_BYTES)
        assert data, "the connection was closed"
        for event in self.http.receive_data(data):
            if not isinstance(event, ResponseReceived | DataReceived | StreamEnded | StreamReset):
                continue
            got = self.got[event.stream_id]
            match event:
                case ResponseReceived():
                    got.headers = {str(name): str(value) for name, value in event.headers}
                case DataReceived():
                    got.body += event.data
                    self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case StreamEnded():
                    got.ended = True
                case StreamReset():
                    got.reset = True
        self.flush()

    def finish(self) -> list[Got]:
        """Wait for all that was begun, in its order."""
        while not all(got.ended or got.reset for got in self.got.values()):
            self.listen()
        return list(self.got.values())

    def close(self) -> None:
        self.socket.close()


def asked_of(house: House) -> dict[str, int]:
    return {cluster: len(bodies) for cluster, bodies in house.asked.items()}


@STREAMS
@pytest.mark.parametrize("trouble", [Behaviour(status=429), Behaviour(fault="reset")], ids=["429", "reset"])
@WANTS
def test_the_next_model_answers(house: House, want: str, trouble: Behaviour, stream: bool) -> None:
    house.server("small").behaviour = trouble

    with closing(Client(house.stack.envoy.port)) as client:
        client.begin(house.chat(stream=stream), [("x-want", want)])
        [got] = client.finish()

    assert got.model == "large-70b"
    assert asked_of(house) == {"small": 1, "large": 1}


@STREAMS
@pytest.mark.parametrize(("kind", "model"), [("good", "org/small"), ("refusal", "large-70b")])
def test_an_answer_is_judged(house: House, kind: Any, model: str, stream: bool) -> None:
    house.server("small").behaviour = Behaviour(answer=kind, answer_tokens=20)

    with closing(Client(house.stack.envoy.port)) as client:
        client.begin(house.chat(stream=stream), [("x-want", "cascade")])
        [got] = client.finish()

    assert got.model == model
    assert b'"logprob"' not in got.body
    assert stream is got.body.endswith(b"data: [DONE]\n\n")
    if not stream:
        assert got.headers["content-length"] == str(len(got.body))
        assert json.loads(got.body)["choices"]


@STREAMS
@WANTS
def test_many_on_one_connection(house: House, want: str, stream: bool) -> None:
    trouble = Behaviour(answer="refusal", answer_tokens=20) if want == "cascade" else Behaviour(status=503)
    house.server("small").behaviour = trouble

    with closing(Client(house.stack.envoy.port)) as client:
        for number in range(MANY):
            client.begin(house.chat(f"Number {number}.", stream=stream), [("x-want", want)])
        all_got = client.finish()

    assert [got.model for got in all_got] == ["large-70b"] * MANY
    assert asked_of(house) == {"small": MANY, "large": MANY}


def test_a_stream_that_breaks_off_is_reset(house: House) -> None:
    house.server("small").behaviour = Behaviour(fault="reset", fault_at="mid_answer", fault_after_tokens=2)

    with closing(Client(house.stack.envoy.port)) as client:
        client.begin(house.chat(stream=True), [("x-want", "fallback")])
        [got] = client.finish()

    assert (got.headers[":status"], got.ended, got.reset) == ("200", False, True)
    assert b"[DONE]" not in got.body
    assert asked_of(house) == {"small": 1}


def test_one_request_is_cancelled_during_its_second_attempt(house: House) -> None:
    """Its neighbours on the connection go on."""
    house.server("small").behaviour = Behaviour(answer="refusal", answer_tokens=20)
    house.server("large").play(Behaviour(fault="hang"), Behaviour())

    with closing(Client(house.stack.envoy.port)) as client:
        cancelled = client.begin(house.chat(), [("x-want", "cascade")])
        house.eventually(lambda: house.server("large").total)
        client.http.reset_stream(cancelled, ErrorCodes.CANCEL)
        del client.got[cancelled]
        client.begin(house.chat(), [("x-want", "cascade")])
        [got] = client.finish()

    assert got.model == "large-70b"
    house.eventually(lambda: house.server("large").cut_off)
    house.eventually(lambda: house.metric("extproc_router_open_streams") == 0)


@WANTS
def test_headers_are_no_more_believed_than_in_http_1(house: House, want: str) -> None:
    forged = [
        ("x-llm-chain", "cascade"),
        ("x-llm-chain", "fallback"),
        ("x-selected-cluster", "large"),
        ("x-envoy-attempt-count", "3"),
        ("x-envoy-max-retries", "9"),
        ("x-cascade-escalate", "1"),
    ]

    with closing(Client(house.stack.envoy.port)) as client:
        client.begin(house.chat(), [("x-want", want), *forged])
        [got] = client.finish()

    assert (got.model, asked_of(house)) == ("org/small", {"small": 1})
