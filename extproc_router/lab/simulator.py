"""Simulated model servers: HTTP/1.1 with keep-alive, one port for each cluster, in a thread of their own.

Every request is kept, byte for byte, so that a test can say what reached an upstream and what did not.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from extproc_router.lab.answers import Answer, answer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator, Sequence

KEEP = 512  # requests remembered for each cluster; older ones are forgotten
MAX_BODY_BYTES = 64 * 1024 * 1024
READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it reached a model server; header names are lower case, repeated ones are repeated."""

    cluster: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, the values joined where it is repeated, or None."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


class ModelServer:
    """One simulated model server. Make it with `simulators`.

    Attributes:
        cluster: its name.
        port: of 127.0.0.1.
        received: the last `KEEP` requests, oldest first; health checks are not among them.
        total: how many requests there ever were.
        pause_seconds: how long it waits before each piece of a stream.
        status: set it to answer everything but health checks with this HTTP status.
        cut_off: how many answers could not be finished because the connection was gone.
    """

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.port = 0
        self.received: deque[Received] = deque(maxlen=KEEP)
        self.total = 0
        self.pause_seconds = 0.0
        self.status: int | None = None
        self.cut_off = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def clear(self) -> None:
        """Forget everything received, and behave."""
        self.received.clear()
        self.total = self.cut_off = 0
        self.pause_seconds, self.status = 0.0, None

    async def open(self) -> None:
        """Listen on 127.0.0.1: on a free port, or on the one that it had."""
        self._loop = asyncio.get_running_loop()
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and drop every connection."""
        if self._listening:
            self._listening.close()
        for writer in self._writers:
            writer.transport.abort()

    def go_down(self) -> None:
        """Refuse connections from now on; for other threads than the simulators' own."""
        self._on_loop(self.close())

    def come_back(self) -> None:
        """Listen again where it did before; for other threads, too."""
        self._on_loop(self.open())

    def _on_loop(self, work: Coroutine[object, object, None]) -> None:
        assert self._loop is not None  # noqa: S101 - `simulators` has opened it
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)
        self._writers.add(writer)
        try:
            while (request := await _next_request(self.cluster, connection, reader)) is not None:
                await self._answer(request, connection, writer)
                if connection.our_state is not h11.DONE:
                    break
                connection.start_next_cycle()
        except (h11.RemoteProtocolError, ConnectionError, asyncio.IncompleteReadError):
            self.cut_off += 1
        except asyncio.CancelledError:
            pass  # the lab is closing
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(self, request: Received, connection: h11.Connection, writer: asyncio.StreamWriter) -> None:
        reply = answer(request.cluster, request.method, request.path, request.body)
        if request.path != "/health":
            self.received.append(request)
            self.total += 1
            if self.status is not None:
                reply = Answer(self.status, "application/json", (b'{"error":{"message":"as the test wanted"}}',))
        headers = [("content-type", reply.content_type), ("server", f"simulator-{self.cluster}")]
        if not reply.is_stream:
            headers.append(("content-length", str(sum(map(len, reply.chunks)))))
        reason = HTTPStatus(reply.status).phrase.encode()
        head = h11.Response(status_code=reply.status, headers=headers, reason=reason)
        writer.write(connection.send(head) or b"")
        for chunk in reply.chunks if request.method != "HEAD" else ():
            if reply.is_stream and self.pause_seconds:
                await writer.drain()
                await asyncio.sleep(self.pause_seconds)
            writer.write(connection.send(h11.Data(data=chunk)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()


async def _next_request(cluster: str, connection: h11.Connection, reader: asyncio.StreamReader) -> Received | None:
    """Read one whole request; None at the end of the connection."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise ConnectionError("more than a model server takes")
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
            return Received(cluster, head.method.decode(), head.target.decode(), headers, bytes(body))
        else:
            return None


@contextmanager
def simulators(clusters: Sequence[str]) -> Iterator[dict[str, ModelServer]]:
    """Run a model server for each cluster name while the block lasts; returns them by name."""
    servers = {cluster: ModelServer(cluster) for cluster in clusters}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulators", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(_open_all(servers.values()), loop).result(10)
        try:
            yield servers
        finally:
            asyncio.run_coroutine_threadsafe(_close_all(servers.values()), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _open_all(servers: Iterable[ModelServer]) -> None:
    for server in servers:
        await server.open()


async def _close_all(servers: Iterable[ModelServer]) -> None:
    for server in servers:
        await server.close()
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
