from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import ModelFailed, ModelOverloaded, ModelTimeout, ShedError, StartupError, UnclearAnswer
from extproc_router.lab import probes, stack
from extproc_router.lab.processes import wait_until
from extproc_router.lab.simulator import simulators
from extproc_router.learning.judge import Kind, Question
from extproc_router.server import model_client
from extproc_router.server.model_client import ModelClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def server(answer: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server that reads one request on each connection and leaves the answer to the test; yields its URL."""
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(connection: socket.socket) -> None:
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65536)
                head, _, body = request.partition(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                while len(body) < length:
                    body += connection.recv(65536)
                try:
                    answer(connection, body)
                except OSError:
                    return  # the client has gone, as it should

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(10)
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive()


def says(text: str, status: str = "200 OK") -> Callable[[socket.socket, bytes], None]:
    body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    return lambda connection, _: connection.sendall(head + body)


def ask(url: str, *, deadline_seconds: float = 10.0, question: Question | None = None) -> float:
    async def main() -> float:
        client = ModelClient(url, deadline_seconds=deadline_seconds)
        try:
            return await client.need(question or Question("judge"), "Prove it.")
        finally:
            await settle(client)
            client.close()

    return asyncio.run(main())


async def settle(client: ModelClient) -> None:
    """Wait until the threads have let everything go and the loop has heard of it."""
    for _ in range(500):
        if client.inside == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("questions are still inside")


@pytest.mark.parametrize(("text", "need"), [("Yes.", 1.0), ("no", 0.0)])
def test_an_answer_becomes_a_need(text: str, need: float) -> None:
    with server(says(text)) as url:
        assert ask(url) == need


def test_the_question_reaches_the_server_as_asked() -> None:
    bodies: list[bytes] = []

    def keep(connection: socket.socket, body: bytes) -> None:
        bodies.append(body)
        says("7")(connection, body)

    question = Question("judge", Kind.NUMBER)
    with server(keep) as url:
        assert ask(f"{url}/", question=question) == 0.07
    assert bodies == [question.body("Prove it.")]


def test_a_model_server_that_talks_of_something_else_is_unclear() -> None:
    with simulators(["judge"]) as servers, pytest.raises(UnclearAnswer):
        ask(f"http://127.0.0.1:{servers['judge'].port}")
    received = servers["judge"].received[0]
    assert (received.method, received.path) == ("POST", "/v1/chat/completions")
    assert received.header("content-type") == "application/json"


LISTENER = """
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
static_resources:
  listeners:
  - name: judge
    address: {{socket_address: {{address: 127.0.0.1, port_value: {listener}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: judge
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: judge
              domains: ["*"]
              routes: [{{match: {{path: /v1/chat/completions}}, route: {{cluster: judge, timeout: 30s}}}}]
  clusters:
  - name: judge
    connect_timeout: 1s
    load_assignment:
      cluster_name: judge
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {model}}}}}}}
"""


@pytest.mark.envoy
def test_a_listener_of_envoy_leads_to_the_judge_and_its_outage_is_a_failure(tmp_path: Path) -> None:
    admin, listener = probes.free_ports(2)
    with ExitStack() as judge:
        url = judge.enter_context(server(says("yes")))
        config = tmp_path / "envoy.yaml"
        config.write_text(LISTENER.format(admin=admin, listener=listener, model=url.rpartition(":")[2]))
        with stack.start_envoy(config, directory=tmp_path, name="judge") as envoy:
            wait_until(lambda: probes.envoy_is_ready(admin), envoy, seconds=30)
            assert ask(f"http://127.0.0.1:{listener}") == 1.0
            judge.close()
            with pytest.raises(ModelFailed, match="status 503"):
                ask(f"http://127.0.0.1:{listener}")


@pytest.mark.parametrize("status", ["500 Oops", "429 Slow down", "302 Elsewhere", "204 Nothing"])
def test_any_other_status_is_a_failure(status: str) -> None:
    with server(says("yes", status)) as url, pytest.raises(ModelFailed, match=f"status {status[:3]}"):
        ask(url)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x-a: 1\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * (model_client.MAX_ANSWER_BYTES + 1),
    ],
    ids=["nothing", "not HTTP", "cut short", "bad chunk", "too many headers", "too long"],
)
def test_broken_answers_are_failures(raw: bytes) -> None:
    with server(lambda connection, _: connection.sendall(raw)) as url, pytest.raises(ModelFailed):
        ask(url)


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ModelFailed, match="refused"):
        ask(f"http://127.0.0.1:{port}")


def test_silence_ends_at_the_deadline() -> None:
    gone = threading.Event()

    def wait(connection: socket.socket, _: bytes) -> None:
        # The client hangs up at its deadline: the server sees the end of the stream.
        assert connection.recv(1) == b""
        gone.set()

    with server(wait) as url, pytest.raises(ModelTimeout):
        ask(url, deadline_seconds=0.5)
    assert gone.is_set()


def test_a_byte_now_and_then_does_not_hold_the_thread() -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    # `ask` waits until the thread is free, and the server's thread ends because the connection does.
    with server(drip) as url, pytest.raises(ModelTimeout):
        ask(url, deadline_seconds=0.2)


def test_a_full_queue_sheds_at_once_and_recovers() -> None:
    release = threading.Event()

    def hold(connection: socket.socket, body: bytes) -> None:
        release.wait(10)
        says("yes")(connection, body)

    async def main(url: str) -> None:
        client = ModelClient(url, deadline_seconds=10, at_once=1, queue=2)
        first, second = (asyncio.create_task(client.need(Question("j"), "x")) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(ModelOverloaded):
            await client.need(Question("j"), "x")
        release.set()
        assert list(await asyncio.gather(first, second)) == [1.0, 1.0]
        await settle(client)
        assert await client.need(Question("j"), "x") == 1.0
        client.close()

    with server(hold) as url:
        asyncio.run(main(url))


def test_waiting_counts_towards_the_deadline() -> None:
    def hold(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)

    async def main(url: str) -> None:
        client = ModelClient(url, deadline_seconds=0.2, at_once=1, queue=2)
        results = await asyncio.gather(*(client.need(Question("j"), "x") for _ in range(2)), return_exceptions=True)
        assert [type(result) for result in results] == [ModelTimeout, ModelTimeout]
        await settle(client)
        client.close()

    with server(hold) as url:
        asyncio.run(main(url))


def test_a_client_that_goes_away_hangs_up() -> None:
    asked, gone = threading.Event(), threading.Event()

    def wait(connection: socket.socket, _: bytes) -> None:
        asked.set()
        assert connection.recv(1) == b""
        gone.set()

    async def main(url: str) -> None:
        client = ModelClient(url, deadline_seconds=30)
        task = asyncio.create_task(client.need(Question("j"), "x"))
        await asyncio.to_thread(asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settle(client)
        client.close()

    with server(wait) as url:
        asyncio.run(main(url))
    assert gone.is_set()


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:80", "https://127.0.0.1", "http://", "http://h:x", "http://h?a=1", "http://u:p@h", "unix:/a"]
)
def test_anything_but_a_plain_listener_is_refused(url: str) -> None:
    with pytest.raises(StartupError):
        ModelClient(url, deadline_seconds=1)


def test_every_failure_sheds_under_a_name_of_its_own() -> None:
    kinds = (ModelOverloaded, ModelTimeout, ModelFailed, UnclearAnswer)
    assert all(issubclass(kind, ShedError) for kind in kinds)
    assert len({kind.cause for kind in kinds}) == 4
