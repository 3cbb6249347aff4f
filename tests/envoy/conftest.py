"""One stack for each module: simulated model servers, the router as a process, and real Envoy."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, IncompleteRead
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from openai import OpenAI

from extproc_router.lab import probes
from extproc_router.lab import stack as lab
from extproc_router.lab.searching import MARKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from extproc_router.lab.simulator import ModelServer, Received
    from extproc_router.lab.stack import Stack

T = TypeVar("T")
SECONDS = 20.0  # how long a test waits for something that must happen
CHUNK = 64 * 1024
# Headers between the router, Envoy and the verifier; x-llm-decision is for the model servers' own logs.
INTERNAL = re.compile(r"x-(selected-cluster|llm-(?!decision$)|cascade|envoy-(?!external-address$))")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True  # whether it was not cut off

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
        named = {name.lower(): value for name, value in reply.getheaders()}
        try:
            return Reply(reply.status, named, reply.read())
        except IncompleteRead as cut:
            return Reply(reply.status, named, cut.partial, whole=False)
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

    @property
    def asked(self) -> dict[str, list[bytes]]:
        """The bodies that each cluster was sent; none of them with a header that is not for model servers."""
        bodies = defaultdict(list)
        for request in self.received:
            assert request.header("content-length") in {str(len(request.body)), None if not request.body else ""}
            assert [name for name, _ in request.headers if INTERNAL.match(name)] == []
            bodies[request.cluster].append(request.body)
        return dict(bodies)

    def server(self, cluster: str) -> ModelServer:
        return self.stack.servers[cluster]

    @contextmanager
    def down(self, *clusters: str) -> Iterator[None]:
        """Have these clusters refuse connections."""
        for cluster in clusters:
            self.server(cluster).go_down()
        try:
            yield
        finally:
            for cluster in clusters:
                self.server(cluster).come_back()

    def metric(self, name: str, **labels: str) -> float:
        return metric(self.stack.router.metrics_port, name, **labels)

    def envoy_counters(self, pattern: str) -> dict[str, int]:
        """Envoy's own counters and gauges whose names match."""
        text = probes.get(self.stack.envoy.admin_port, f"/stats?filter={pattern}")[1].decode()
        pairs = (line.split(": ") for line in text.splitlines() if ": " in line)
        return {name: int(value) for name, value in pairs if value.isdecimal()}

    def decision(self, request_id: str) -> dict[str, Any]:
        return eventually(lambda: self._find(self.stack.router.decisions, request_id=request_id))

    def cascade(self, request_id: str) -> dict[str, Any]:
        """What came of a request's cascade."""
        decision_id = self.decision(request_id)["id"]
        return eventually(lambda: self._find(self.stack.router.decisions, decision_id=decision_id))

    def access(self, request_id: str) -> dict[str, Any]:
        return eventually(lambda: self._find(self.stack.envoy.access_log, request_id=request_id))

    @staticmethod
    def _find(path: Any, **members: str) -> dict[str, Any] | None:
        return next((line for line in lab.read_json_lines(path) if members.items() <= line.items()), None)

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


@pytest.fixture(scope="module")
def open_house(
    make_house: type[House], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[House]]:
    """Run a house of a config's text while the block lasts; takes more arguments of `lab.stack.stack`."""

    @contextmanager
    def opened(config: str, **more: Any) -> Iterator[House]:
        path = tmp_path_factory.mktemp("house") / "router.yaml"
        path.write_text(config)
        with lab.stack(config=path, **more) as stack:
            house = make_house(stack)
            yield house
            house.close()

    return opened
