"""A load generator in a process of its own, for machines without wrk: keep-alive connections, one request at a time.

`python -m extproc_router.lab.loadgen PORT PATH CONNECTIONS SECONDS DIRECTORY` sends the files of a directory as bodies,
in turn, and prints one JSON line: requests, seconds, errors, p50_ms, p99_ms, max_ms. It reads only what Envoy writes:
answers with a content-length.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast

CONTENT_LENGTH = b"\r\ncontent-length: "
HEAD_END = b"\r\n\r\n"
OK = b"HTTP/1.1 200"


class Run:
    """What all connections share: the requests to send, and what came of them."""

    def __init__(self, requests: list[bytes], seconds: float) -> None:
        self.requests = requests
        self.end = time.perf_counter() + seconds
        self.sent = 0
        self.latencies: list[float] = []
        self.errors = 0

    def next(self) -> bytes | None:
        """The next request, or None when the time is up."""
        if time.perf_counter() >= self.end:
            return None
        self.sent += 1
        return self.requests[self.sent % len(self.requests)]


class Connection(asyncio.Protocol):
    """One keep-alive connection: the next request goes out when an answer is complete."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._buffer = bytearray()
        self._started = 0.0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer in."""
        self._buffer += data
        head = self._buffer.find(HEAD_END)
        if head < 0:
            return
        at = self._buffer.find(CONTENT_LENGTH, 0, head + 2)
        if at < 0:
            self._run.errors += 1
            self._transport.close()
            return
        start = at + len(CONTENT_LENGTH)
        length = int(self._buffer[start : self._buffer.index(b"\r\n", start)])
        if len(self._buffer) < head + len(HEAD_END) + length:
            return
        self._run.latencies.append(time.perf_counter() - self._started)
        self._run.errors += not self._buffer.startswith(OK)
        self._buffer.clear()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count what was cut off."""
        self._run.errors += exc is not None
        if not self.over.done():
            self.over.set_result(None)

    def _send(self) -> None:
        request = self._run.next()
        if request is None:
            self._transport.close()
            return
        self._started = time.perf_counter()
        self._transport.write(request)


async def generate(port: int, path: str, connections: int, seconds: float, bodies: list[bytes]) -> dict[str, float]:
    """Load 127.0.0.1:`port` for some seconds.

    Returns:
        Requests answered, seconds it took, errors, and the 50th and 99th percentile and the longest of latencies in ms.
    """
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
    loop, start = asyncio.get_running_loop(), time.perf_counter()
    run = Run([f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies], seconds)
    opened = [await loop.create_connection(lambda: Connection(run), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.gather(*(protocol.over for _, protocol in opened))
    took, ordered = time.perf_counter() - start, sorted(run.latencies)

    def percentile(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0

    return {
        "requests": len(ordered),
        "seconds": took,
        "errors": run.errors,
        "p50_ms": percentile(0.5),
        "p99_ms": percentile(0.99),
        "max_ms": percentile(1.0),
    }


def main() -> None:
    """Read the command line, generate, print."""
    port, path, connections, seconds, directory = sys.argv[1:]
    bodies = [file.read_bytes() for file in sorted(Path(directory).iterdir())]
    print(json.dumps(asyncio.run(generate(int(port), path, int(connections), float(seconds), bodies))))


if __name__ == "__main__":
    main()
