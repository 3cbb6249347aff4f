from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation import asked
from extproc_router.lab.simulator import ModelServer, simulators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extproc_router.lab.simulation.asked import Asked

PATHS = {api: path for path, api in asked.APIS.items()}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ModelServer]]:
    with simulators(["small"]) as running:
        yield running


@pytest.fixture
def small(servers: dict[str, ModelServer]) -> ModelServer:
    servers["small"].clear()
    return servers["small"]


@pytest.fixture
def ask() -> Callable[..., Asked]:
    """Make a request of an API."""

    def make(api: str = "chat_completions", **body: Any) -> Asked:
        made = asked.read("small", PATHS[api], json.dumps({"model": "m", **body}).encode())
        assert made is not None
        return made

    return make


@pytest.fixture
def exchange() -> Callable[[int, bytes], bytes]:
    """Send raw bytes to a port of 127.0.0.1 and return all that comes, until the connection ends, however it does."""

    def talk(port: int, sent: bytes) -> bytes:
        return asyncio.run(_talk(port, sent))

    return talk


async def _talk(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    heard = b""
    try:
        async with asyncio.timeout(10):
            while data := await reader.read(65536):
                heard += data
    except ConnectionResetError:
        heard += b"<RST>"
    finally:
        writer.close()
    return heard


@pytest.fixture
def post() -> Callable[..., bytes]:
    """A POST as bytes; the connection ends after it unless it is to be kept."""

    def spell(body: dict[str, Any], path: str = "/v1/chat/completions", *headers: str) -> bytes:
        raw = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", "host: x", "connection: close", f"content-length: {len(raw)}", *headers]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw

    return spell
