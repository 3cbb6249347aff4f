from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.extproc import codec
from extproc_router.server import app
from extproc_router.server.addresses import Address
from extproc_router.server.encoder_executor import Bounds, EncoderExecutor
from extproc_router.server.service import Runtime
from extproc_router.types import Classification, Encoding, Record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from extproc_router.encoder import Encoder
    from extproc_router.server.encoder_executor import Asks, Encodings
    from extproc_router.server.reloader import Reloader
    from extproc_router.verifier.judged import Judged


class Spy:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.open = 0
        self.depths: list[int] = []
        self.records: list[Record] = []
        self.cascades: list[Judged] = []
        self.failures: Counter[str] = Counter()

    def stream_opened(self) -> None:
        self.open += 1

    def stream_closed(self) -> None:
        self.open -= 1

    def queue_changed(self, depth: int) -> None:
        self.depths.append(depth)

    def decided(self, record: Record) -> None:
        self.records.append(record)

    def judged(self, judged: Judged, unix_time: float) -> None:
        self.cascades.append(judged)

    def failed(self, kind: str) -> None:
        self.failures[kind] += 1


MATH = Encoding({"domain": Classification("math", 0.9, {"math": 0.9})}, {"domain": 1}, 3, False)

CONFIG = """
models: [{name: small, cluster: on-small}, {name: large, cluster: on-large}]
routing: {default: small, domains: {math: large}}
limits: {max_body_bytes: 100000}
"""


class Artefact:
    """Stands in for an artefact: what a config is compiled against."""

    name, version, confidence_floor = "stand-in", "ev", 0.4
    labels, signals = ("math",), ("domain",)


def reads_math(asks: Asks) -> Encodings:
    return {ask.text: MATH for ask in asks}


class Gate:
    """An encoder that hangs until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    def __call__(self, asks: Asks) -> Encodings:
        self.entered.set()
        if not self.release.wait(30):
            raise TimeoutError("nobody let the gate go")
        return reads_math(asks)


def build_runtime(
    observer: Spy,
    encode: Callable[[Asks], Encodings] = reads_math,
    *,
    queue: int = 4,
    deadline: float = 5.0,
    router: Any = None,
) -> Runtime:
    executor = EncoderExecutor(encode, on_depth=observer.queue_changed)
    built = router or wiring.build_router(loader.load(CONFIG, "router.yaml"), cast("Encoder", Artefact()))
    return Runtime(built, executor, Bounds(queue, deadline), release=executor.close)


def headers(*, end: bool = False, **more: str) -> pb.ProcessingRequest:
    message = pb.ProcessingRequest()
    message.request_headers.end_of_stream = end
    pairs = {":method": "POST", ":path": "/v1/chat/completions", **{k.replace("_", "-"): v for k, v in more.items()}}
    for key, value in pairs.items():
        message.request_headers.headers.headers.add(key=key, raw_value=value.encode())
    return message


def body(model: str = "auto", text: str = "what is 2 + 2?") -> pb.ProcessingRequest:
    data = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()
    return pb.ProcessingRequest(request_body=pb.HttpBody(body=data, end_of_stream=True))


def open_stream(channel: grpc.aio.Channel) -> Any:
    return channel.stream_stream(
        f"/{codec.SERVICE}/{codec.METHOD}",
        request_serializer=pb.ProcessingRequest.SerializeToString,
        response_deserializer=pb.ProcessingResponse.FromString,
    )()


async def ask(channel: grpc.aio.Channel, *messages: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
    """Send messages one by one, each after the answer to the one before, and hang up."""
    stream, answers = open_stream(channel), []
    for message in messages:
        await stream.write(message)
        answers.append(await stream.read())
    await stream.done_writing()
    assert await stream.read() is grpc.aio.EOF
    return answers


def cluster(response: pb.ProcessingResponse) -> str:
    part = response.request_body if response.WhichOneof("response") == "request_body" else response.request_headers
    sets: dict[str, str] = {
        option.header.key: option.header.raw_value.decode() for option in part.response.header_mutation.set_headers
    }
    return sets.get("x-selected-cluster", "")


@asynccontextmanager
async def serving(
    directory: Path,
    observer: Spy,
    load: Callable[[], Runtime] | None = None,
    reloader: Reloader | None = None,
    **settings: Any,
) -> AsyncIterator[grpc.aio.Channel]:
    """Run the whole server on a unix socket and connect to it."""
    path = directory / "extproc.sock"
    fields: dict[str, Any] = {
        "listen": Address(path=str(path)),
        "health": None,
        "share_port": False,
        "drain_seconds": 0.5,
    }
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(
        app.serve(
            app.Settings(**(fields | settings)),
            load or (lambda: build_runtime(observer)),
            observer,
            reloader=reloader,
            stop=stop,
            on_ready=ready.set,
        )
    )
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done():
        task.result()
    # The channel outlives the server: a drain is seen from both sides.
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        try:
            yield channel
        finally:
            stop.set()
            await task


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path: a unix socket's has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="xr-") as name:
        yield Path(name)


@pytest.fixture
def spy() -> Spy:
    return Spy()


class Lab:
    """What tests of this room share, as one fixture."""

    Artefact = Artefact
    CONFIG = CONFIG
    Gate = Gate
    reads_math = staticmethod(reads_math)
    build_runtime = staticmethod(build_runtime)
    headers = staticmethod(headers)
    body = staticmethod(body)
    open_stream = staticmethod(open_stream)
    ask = staticmethod(ask)
    cluster = staticmethod(cluster)
    serving = staticmethod(serving)


@pytest.fixture
def lab() -> type[Lab]:
    return Lab
