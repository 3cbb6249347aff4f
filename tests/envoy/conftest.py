"""One stack for each module: simulated model servers, the router as a process, and real Envoy."""

from __future__ import annotations

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from openai import OpenAI

from extproc_router.lab import probes
from extproc_router.lab import stack as lab
from extproc_router.lab.searching import MARKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from extproc_router.lab.simulator import Received
    from extproc_router.lab.stack import Stack

T = TypeVar("T")
SECONDS = 20.0  # how long a test waits for something that must happen
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def send(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Sequence[tuple[str, str]] = (),
    *,
    chunked: bool = False,
) -> Reply:
    """One request, spelled out: a client library would not send most of what these tests do."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader(*(("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body)))))
        # Envoy may refuse a long body before it has been sent: its answer is read all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.endheaders()
            for piece in _pieces(body or b"", chunked=chunked):
                connection.send(piece)
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def _pieces(body: bytes, *, chunked: bool) -> Iterable[bytes]:
    for start in range(0, len(body), CHUNK):
        piece = body[start : start + CHUNK]
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
    if chunked:
        yield b"0\r\n\r\n"


def eventually(look: Callable[[], T | None], seconds: float = SECONDS) -> T:
    """What `look` sees, as soon as it is true."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return seen


def metric(port: int, name: str, **labels: str) -> float:
    """The value of a sample on /metrics: the sum of those with these labels; 0.0 where there is none."""
    text = probes.get(port, "/metrics")[1].decode()
    total = 0.0
    for line in text.splitlines():
        sample = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if sample and all(f'{key}="{value}"' in (sample[1] or "") for key, value in labels.items()):
            total += float(sample[2])
    return total


def chat(text: str = "What is the derivative of x^3?", model: str | None = "auto", **more: Any) -> bytes:
    """A chat request, spelled as no serialiser would: patching must keep every byte.

    Its system prompt carries the word that may not be found in any file afterwards (tests/conftest.py).
    """
    turns = f'{{"role":"system","content":"{MARKER}"}},{{"role":"user", "content": {json.dumps(text)}}}'
    parts = [f'"messages":\t[{turns}]', '"x": 1.50']
    parts += [f"{json.dumps(key)} : {json.dumps(value)}" for key, value in more.items()]
    if model is not None:
        parts.insert(1, f'"model" : {json.dumps(model)}')
    return ("{ " + " , ".join(parts) + "\n}").encode()


@dataclass(frozen=True)
class House:
    """A running stack, and the questions that tests ask it."""

    stack: Stack
    _clients: list[OpenAI] = field(default_factory=list)

    def send(self, method: str, path: str, body: bytes | None = None, *args: Any, **kwargs: Any) -> Reply:
        return send(self.stack.envoy.port, method, path, body, *args, **kwargs)

    def post(self, body: bytes, *args: Any, path: str = "/v1/chat/completions", **kwargs: Any) -> Reply:
        return self.send("POST", path, body, *args, **kwargs)

    @property
    def client(self) -> OpenAI:
        if not self._clients:
            self._clients.append(
                OpenAI(base_url=f"{self.stack.envoy.url}/v1", api_key="secret-key", max_retries=0, timeout=SECONDS)
            )
        return self._clients[0]

    @property
    def received(self) -> list[Received]:
        return [request for server in self.stack.servers.values() for request in server.received]

    def only(self) -> Received:
        [request] = self.received
        return request

    def metric(self, name: str, **labels: str) -> float:
        return metric(self.stack.router.metrics_port, name, **labels)

    def decision(self, request_id: str) -> dict[str, Any]:
        return eventually(lambda: self._find(self.stack.router.decisions, request_id))

    def access(self, request_id: str) -> dict[str, Any]:
        return eventually(lambda: self._find(self.stack.envoy.access_log, request_id))

    @staticmethod
    def _find(path: Any, request_id: str) -> dict[str, Any] | None:
        return next((line for line in lab.read_json_lines(path) if line.get("request_id") == request_id), None)

    def clear(self) -> None:
        for server in self.stack.servers.values():
            server.clear()

    chat = staticmethod(chat)
    eventually = staticmethod(eventually)

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture(scope="module")
def running_house() -> Iterator[House]:
    with lab.stack() as stack:
        house = House(stack)
        yield house
        house.close()


@pytest.fixture
def house(running_house: House) -> House:
    running_house.clear()
    return running_house


@pytest.fixture(scope="module")
def make_house() -> type[House]:
    return House
