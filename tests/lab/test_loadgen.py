from __future__ import annotations

import asyncio

import pytest

from extproc_router.lab.loadgen import generate


async def against(answer: bytes, *, piece: int = 1_000_000, hang_up: bool = False) -> dict[str, float]:
    """Load a server that gives every request this answer, in pieces."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            for start in range(0, len(answer), piece):
                writer.write(answer[start : start + piece])
                await writer.drain()
                await asyncio.sleep(0)
            if hang_up:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        return await generate(server.sockets[0].getsockname()[1], "/x", 2, 0.1, [b"{}"])


@pytest.mark.parametrize("piece", [1, 7, 1_000])
def test_answers_are_put_together(piece: int) -> None:
    found = asyncio.run(against(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello", piece=piece))

    assert found["requests"] > 0
    assert found["errors"] == 0
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_other_statuses_are_errors() -> None:
    found = asyncio.run(against(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"))

    assert found["errors"] == found["requests"] > 0


def test_an_answer_without_a_length_is_an_error_and_an_end() -> None:
    found = asyncio.run(against(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"))

    assert (found["requests"], found["errors"], found["p50_ms"]) == (0, 2, 0.0)


def test_a_server_that_hangs_up_ends_the_run() -> None:
    found = asyncio.run(against(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", hang_up=True))

    assert found["requests"] == 2
