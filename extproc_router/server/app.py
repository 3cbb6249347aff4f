"""One worker's life: listen for probes, load, warm, serve, drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.extproc import codec
from extproc_router.server import addresses, apart, hardening
from extproc_router.server.addresses import Address
from extproc_router.server.health import Health
from extproc_router.server.service import ExternalProcessor, Processor, Runtime, handler
from extproc_router.server.socket_file import SocketFile
from extproc_router.server.verifier import Verifier
from extproc_router.verifier.keeping import MAX_ANSWER_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from extproc_router.server.observer import Observer
    from extproc_router.server.reloader import Reloader

log = logging.getLogger(__name__)

# gRPC's own limit is for the whole message: the body and its envelope.
ENVELOPE_BYTES = 1024 * 1024
# Whoever probes readiness needs a moment to see NOT_SERVING before streams are refused.
_DRAIN_NOTICE_SHARE = 0.2
# A prompt takes milliseconds: one that has run this long will not come back, and only a restart helps.
_STUCK_SECONDS = 30.0
_WATCH_SECONDS = 1.0
# What is being loaded when we are told to end comes to an end by itself, or never.
_LOAD_GRACE_SECONDS = 5.0


class Settings(Struct, frozen=True):
    """How one worker listens and leaves.

    Attributes:
        listen: where Envoy talks to us.
        health: where probes do, beside `listen`; None for nowhere else.
        verify: where Envoy has the first answers of cascades judged; None for nowhere.
        share_port: let other workers bind the same TCP port.
        drain_seconds: how long open streams may take to end at shutdown.
    """

    listen: Address
    health: Address | None
    share_port: bool
    drain_seconds: float
    verify: Address | None = None


async def serve(
    settings: Settings,
    load: Callable[[], Runtime],
    observer: Observer,
    *,
    reloader: Reloader | None = None,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT or `stop`, then drain.

    The longest body that the first runtime reads is the longest that gRPC will take in for as long as this lasts.

    Args:
        settings: how to listen.
        load: builds a warm runtime; runs on a thread, while probes are already answered (not ready). Cut short by
            `reloader`, and abandoned after a while, where we are told to end meanwhile.
        observer: told what happens.
        reloader: replaces the runtime while we serve, on SIGHUP too.
        stop: ends serving when set; tests use it.
        on_ready: called once when streams are accepted.

    Raises:
        StartupError: an address is taken.
        RouterError: whatever `load` raises.
    """
    hardening.quiet_loop(asyncio.get_running_loop())
    stop = stop or asyncio.Event()
    _on_signals(stop, reloader)
    health = Health()
    await health.set_alive(alive=True)
    await health.set_ready(ready=False)
    async with AsyncExitStack() as stack:
        grace = _Grace(settings.drain_seconds * (1 - _DRAIN_NOTICE_SHARE))
        if settings.health:
            # Entered first, so left last: it says NOT_SERVING until the end.
            await stack.enter_async_context(
                _listening(Listener(settings.health, health, share_port=settings.share_port), grace)
            )
        runtime = await _loaded(load, reloader, stop)
        if runtime is None:
            return
        service = ExternalProcessor(runtime, observer)
        stack.callback(service.close)
        # What is loaded stays: the collector need not look at it again at every request.
        gc.collect()
        gc.freeze()
        if stop.is_set():
            return
        answers = None
        if settings.verify:
            verifier = Verifier(lambda: service.runtime.judge, observer)
            stack.callback(verifier.close)
            # Left after the router: what it has sent out comes back here.
            listener = Listener(settings.verify, health, verifier, MAX_ANSWER_BYTES)
            answers = await stack.enter_async_context(_listening(listener, grace))
        longest = runtime.router.max_body_bytes
        listener = Listener(settings.listen, health, service, longest, share_port=settings.share_port)
        socket = await stack.enter_async_context(_listening(listener, grace))
        await health.set_ready(ready=True)
        log.info("ready on %s", settings.listen)
        if on_ready:
            on_ready()
        async with _reloading(reloader, service):
            await _watch(service, health, socket, answers, stop)
        log.info("draining for at most %.1f s", settings.drain_seconds)
        await health.set_ready(ready=False)
        await asyncio.sleep(settings.drain_seconds * _DRAIN_NOTICE_SHARE)
        grace.begin()


async def _loaded(load: Callable[[], Runtime], reloader: Reloader | None, stop: asyncio.Event) -> Runtime | None:
    """Wait for the first runtime; None where we are told to end first, and it does not come soon."""
    loading, stopping = asyncio.create_task(apart.run(load)), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            if reloader:
                reloader.cut_short()
            await asyncio.wait((loading,), timeout=_LOAD_GRACE_SECONDS)
            if not loading.done() or loading.exception():
                return None
        return await loading
    finally:
        loading.cancel()
        stopping.cancel()


@asynccontextmanager
async def _reloading(reloader: Reloader | None, service: ExternalProcessor) -> AsyncIterator[None]:
    """Reload for as long as the block lasts."""
    if reloader is None:
        yield
        return
    task = asyncio.create_task(reloader.run(service.swap))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Listener(Struct, frozen=True):
    """What is served at an address.

    Attributes:
        address: where.
        health: answers probes.
        processor: answers Envoy; None where nobody does.
        longest: bytes of the longest body that is taken in.
        share_port: let other workers bind the same TCP port.
    """

    address: Address
    health: Health
    processor: Processor | None = None
    longest: int = 0
    share_port: bool = False


class _Grace:
    """How long open streams may still take: all listeners share the time.

    Args:
        seconds: from the beginning of the end.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end: float | None = None

    def begin(self) -> None:
        """From now on it runs out."""
        self._end = asyncio.get_running_loop().time() + self._seconds

    @property
    def left(self) -> float:
        """Seconds, at least 0."""
        if self._end is None:
            return self._seconds
        return max(0.0, self._end - asyncio.get_running_loop().time())


@asynccontextmanager
async def _listening(listener: Listener, grace: _Grace) -> AsyncIterator[SocketFile | None]:
    """Listen for as long as the block lasts; yields the socket's file, if it has one."""
    address = listener.address
    addresses.claim(address)
    socket = SocketFile(address.path) if address.path else None
    server = await _start(f"unix:{socket.private}" if socket else str(address), listener)
    try:
        if socket:
            socket.publish()
        yield socket
    finally:
        if socket:
            socket.withdraw()
        await server.stop(grace.left)


async def _start(address: str, listener: Listener) -> grpc.aio.Server:
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", listener.longest + ENVELOPE_BYTES),
            ("grpc.max_send_message_length", -1),  # what we send is what we read, and a little more
            ("grpc.so_reuseport", int(listener.share_port)),
            # Envoy pings idle connections; the default answer is to hang up on it.
            ("grpc.http2.max_ping_strikes", 0),
        ]
    )
    health_pb2_grpc.add_HealthServicer_to_server(listener.health.servicer, server)
    names = [health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
    if listener.processor:
        server.add_generic_rpc_handlers((handler(listener.processor),))
        names.append(codec.SERVICE)
    reflection.enable_server_reflection(names, server)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise StartupError(f"{address}: cannot listen there; is another server running?") from error
    await server.start()
    return server


def _on_signals(stop: asyncio.Event, reloader: Reloader | None) -> None:
    loop = asyncio.get_running_loop()
    reactions = {signal.SIGTERM: stop.set, signal.SIGINT: stop.set}
    if reloader:
        reactions[signal.SIGHUP] = reloader.ask
    for number, react in reactions.items():
        # Only a main thread may; a test that runs us on another has `stop`.
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, react)


async def _watch(
    service: ExternalProcessor,
    health: Health,
    socket: SocketFile | None,
    answers: SocketFile | None,
    stop: asyncio.Event,
) -> None:
    """Wait for the end; look after what Envoy needs of us meanwhile.

    Args:
        service: whose encoder may get stuck.
        health: told so, and whether `socket` is ours.
        socket: the router's file, if it has one.
        answers: the verifier's; requests are served without it, too.
        stop: the end.
    """
    alive = ready = True
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _WATCH_SECONDS)
        stuck = service.runtime.encoder.busy_seconds > _STUCK_SECONDS
        if stuck is alive:
            alive = not stuck
            log.error("the encoder is stuck") if stuck else log.info("the encoder runs again")
            await health.set_alive(alive=alive)
        for each in filter(None, (socket, answers)):
            if each.is_missing:
                log.warning("the socket's file was removed; making it anew")
                each.publish()
        reachable = socket is None or socket.is_ours
        if reachable is not ready:
            ready = reachable
            log.log(
                logging.INFO if ready else logging.ERROR,
                "another server has %s our socket's path",
                "left" if ready else "taken",
            )
            await health.set_ready(ready=ready)
