"""Simulated model servers: HTTP/1.1 with keep-alive, one port for each cluster, in a thread of their own.

Every request is kept, byte for byte, so that a test can say what reached an upstream and what did not. What a server
answers, how fast, and how it fails is its `Behaviour`.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import h11
from msgspec import structs

from extproc_router.lab.simulation import failing
from extproc_router.lab.simulation.answering import Site, answer, beside
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.simulation.connection import MAX_BODY_BYTES, Connection, TooLarge
from extproc_router.lab.simulation.playing import play
from extproc_router.lab.simulation.received import Received

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence

    from extproc_router.lab.simulation.answer import Answer

__all__ = ["KEEP", "ModelServer", "Received", "simulators"]

KEEP = 512  # requests remembered for each cluster; older ones are forgotten
KEEP_BYTES = 4 * MAX_BODY_BYTES  # of their bodies; as above
MAX_CONNECTIONS = 4096
BACKLOG = 1024
GOOD = Behaviour()


class ModelServer:
    """One simulated model server. Make it with `simulators`.

    Attributes:
        cluster: its name.
        port: that it listens on.
        received: the last `KEEP` requests, oldest first; health checks and looks at its metrics are not among them.
        total: how many requests there ever were.
        pause_seconds: how long it waits before each piece of a stream, beside what its behaviour has.
        status: set it to answer everything but health checks with this HTTP status, whatever its behaviour has.
        cut_off: how many answers could not be finished because the client was gone.
    """

    def __init__(self, cluster: str, *, models: Sequence[str] = (), outcomes: Mapping[str, bool] | None = None) -> None:
        self.cluster = cluster
        self.port = 0
        self.received: deque[Received] = deque()
        self.total = 0
        self.pause_seconds = 0.0
        self.status: int | None = None
        self.cut_off = 0
        self._site = Site(cluster, tuple(models), outcomes or {})
        self._steps = [GOOD]
        self._kept_bytes = self._running = 0
        self._host = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listening: asyncio.Server | None = None
        self._kept_port: socket.socket | None = None
        self._connected: dict[asyncio.Task[object], asyncio.StreamWriter] = {}

    @property
    def behaviour(self) -> Behaviour:
        """What the next request meets; set it, and all that follow meet it. For other threads, too."""
        return self._steps[0]

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._steps = [behaviour]

    def play(self, *steps: Behaviour) -> None:
        """Meet the next requests with these, one each; the last one stays. For other threads, too."""
        self._steps = list(steps)

    def clear(self) -> None:
        """Forget everything received, and behave."""
        self.received.clear()
        self.total = self.cut_off = self._kept_bytes = 0
        self.pause_seconds, self.status, self.behaviour = 0.0, None, GOOD

    async def open(self, host: str = "127.0.0.1") -> None:
        """Listen: on a free port, or on the one that it has."""
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._listening = await asyncio.start_server(self._serve, host, self.port, backlog=BACKLOG)
        self._let_port_go()
        self.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and drop every connection."""
        if self._listening:
            self._listening.close()
        self._let_port_go()
        for writer in self._connected.values():
            writer.transport.abort()
        await asyncio.gather(*self._connected, return_exceptions=True)

    def go_down(self) -> None:
        """Refuse connections from now on; for other threads than the simulators' own."""
        self._on_loop(self.close())
        # Nobody else shall get the port meanwhile: others would find there what was sent to this server.
        self._kept_port = socket.socket()
        self._kept_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept_port.bind((self._host, self.port))

    def come_back(self) -> None:
        """Listen again where it did before; for other threads, too."""
        self._on_loop(self.open(self._host))

    def _let_port_go(self) -> None:
        if self._kept_port:
            self._kept_port.close()
        self._kept_port = None

    def _on_loop(self, work: Coroutine[object, object, None]) -> None:
        assert self._loop is not None  # noqa: S101 - `simulators` has opened it
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connected) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        connection = Connection(reader, writer)
        self._connected[task] = writer
        try:
            while (request := await connection.next_request(self.cluster)) is not None:
                if not await self._answer(request, connection):
                    break
        except TooLarge:
            with suppress(ConnectionError):
                await self._play(failing.too_large(), GOOD, connection)
        except (h11.RemoteProtocolError, ConnectionError):
            self.cut_off += 1
        except asyncio.CancelledError:
            pass  # the lab is closing
        finally:
            del self._connected[task]
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(self, request: Received, connection: Connection) -> bool:
        """Answer one request; returns whether the connection may go on."""
        apart = beside(self._site, self.behaviour, request, running=self._running)
        if apart is not None:
            return await self._play(apart, GOOD, connection)
        steps = self._steps  # another thread may set others
        behaviour = steps.pop(0) if len(steps) > 1 else steps[0]
        if self.status is not None:
            behaviour = structs.replace(behaviour, status=self.status)
        self._keep(request)
        self._running += 1
        try:
            reply = answer(self._site, behaviour, request)
            return await self._play(reply, behaviour, connection, bodiless=request.method == "HEAD")
        finally:
            self._running -= 1

    async def _play(
        self, reply: Answer, behaviour: Behaviour, connection: Connection, *, bodiless: bool = False
    ) -> bool:
        server = f"simulator-{self.cluster}"
        return await play(reply, behaviour, connection, server=server, bodiless=bodiless, pause=self.pause_seconds)

    def _keep(self, request: Received) -> None:
        self.total += 1
        self.received.append(request)
        self._kept_bytes += len(request.body)
        while len(self.received) > KEEP or (self._kept_bytes > KEEP_BYTES and len(self.received) > 1):
            self._kept_bytes -= len(self.received.popleft().body)


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
    # Connections that nobody had begun to serve.
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
