"""After the work there is nothing left of it: no open stream, no descriptor, no memory."""

from __future__ import annotations

import asyncio
import gc
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openai import AsyncOpenAI

from extproc_router.lab.probes import resident_bytes

if TYPE_CHECKING:
    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

STREAMS = 200
REQUESTS = 1000
# Allocators keep some of what they were given; a leak of each body would be twice this.
SLACK_BYTES = 8 * 1024 * 1024
SLACK_DESCRIPTORS = 2  # /metrics may be answering us while we count
SLACK_THREADS = 2


def descriptors(house: House) -> int:
    # A process that may not be dumped shows /proc/PID/fd to itself alone.
    return int(house.metric("process_open_fds"))


def threads(house: House) -> int:
    return len(list(Path(f"/proc/{house.stack.router.child.pid}/task").iterdir()))


def rest(house: House) -> None:
    house.eventually(lambda: house.metric("extproc_router_open_streams") == 0)
    house.eventually(lambda: house.metric("extproc_router_encoder_queue_depth") == 0)


async def stream_many(url: str, count: int, *, keep: int | None = None) -> list[str]:
    """Open streams at the same time and read them; with `keep`, go away after so many events of each."""
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=60) as client:

        async def one(number: int) -> str:
            stream = await client.chat.completions.create(
                model="auto", stream=True, messages=[{"role": "user", "content": f"Question {number} about physics"}]
            )
            text, events = "", 0
            async for chunk in stream:
                text += "".join(choice.delta.content or "" for choice in chunk.choices)
                events += 1
                if events == keep:
                    break
            await stream.close()
            return text

        return await asyncio.gather(*(one(number) for number in range(count)))


def test_200_concurrent_streams_end_and_leave_nothing(house: House) -> None:
    asyncio.run(stream_many(house.stack.envoy.url, 20))
    rest(house)
    before, threads_before = descriptors(house), threads(house)
    for server in house.stack.servers.values():
        server.pause_seconds = 0.1

    texts = asyncio.run(stream_many(house.stack.envoy.url, STREAMS))

    assert len(texts) == STREAMS
    assert all(text.endswith(" says hello.") for text in texts)
    rest(house)
    house.eventually(lambda: descriptors(house) <= before + SLACK_DESCRIPTORS)
    # gRPC grows and shrinks its own pool; a thread for each stream would be 200.
    house.eventually(lambda: threads(house) <= threads_before + SLACK_THREADS)
    assert house.metric("extproc_router_failures_total") == 0


def test_clients_that_go_away_mid_stream_leave_nothing(house: House) -> None:
    asyncio.run(stream_many(house.stack.envoy.url, 20))
    rest(house)
    before = descriptors(house)
    for server in house.stack.servers.values():
        server.clear()
        server.pause_seconds = 0.5

    asyncio.run(stream_many(house.stack.envoy.url, 50, keep=2))

    # Upstream was told: no model goes on writing for nobody.
    house.eventually(lambda: sum(server.cut_off for server in house.stack.servers.values()) == 50)
    rest(house)
    house.eventually(lambda: descriptors(house) <= before + SLACK_DESCRIPTORS)


def test_clients_that_go_away_mid_upload_leave_nothing(house: House) -> None:
    before, port = descriptors(house), house.stack.envoy.port
    for size in (0, 10, 100_000):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"
            client.sendall(head + b"x" * size)
            house.eventually(lambda: house.metric("extproc_router_open_streams") == 1)

    rest(house)
    house.eventually(lambda: descriptors(house) <= before + SLACK_DESCRIPTORS)
    assert house.received == []


def test_1000_requests_one_after_another_leave_nothing(house: House) -> None:
    def ask(count: int) -> None:
        for number in range(count):
            house.client.chat.completions.create(
                model="auto", messages=[{"role": "user", "content": f"Question {number}"}], user="x" * 16_384
            )

    ask(200)
    rest(house)
    gc.collect()
    pid = house.stack.router.child.pid
    before, memory, decided = descriptors(house), resident_bytes(pid), house.metric("extproc_router_decisions_total")

    ask(REQUESTS)

    rest(house)
    assert house.metric("extproc_router_decisions_total") == decided + REQUESTS
    house.eventually(lambda: descriptors(house) <= before + SLACK_DESCRIPTORS)
    assert resident_bytes(pid) - memory < SLACK_BYTES
    assert house.metric("extproc_router_failures_total") == 0
