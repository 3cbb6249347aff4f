from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation import connection as module
from extproc_router.lab.simulation.connection import Connection, TooLarge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REQUEST = b"POST /x HTTP/1.1\r\nhost: a\r\nX-B: 1\r\ncontent-length: 2\r\n\r\nhi"


def serve(
    handle: Callable[[Connection], Awaitable[Any]], talk: Callable[[Any, Any], Awaitable[Any]]
) -> tuple[Any, Any]:
    """What `handle` and `talk` return, at the two ends of one connection."""

    async def meet() -> tuple[Any, Any]:
        handled: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                handled.set_result(await handle(Connection(reader, writer)))
            except Exception as error:  # noqa: BLE001 - the test looks at it
                handled.set_result(error)
            finally:
                writer.close()

        async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            said = await talk(reader, writer)
            result = await asyncio.wait_for(handled, 10)
            writer.close()
            return result, said

    return asyncio.run(meet())


def test_requests_are_read_and_answered_one_after_the_other() -> None:
    async def handle(connection: Connection) -> list[str]:
        seen = []
        while (request := await connection.next_request("c")) is not None:
            seen.append(f"{request.method} {request.path} {request.header('x-b')} {request.body.decode()}")
            body = connection.head(200, [("content-length", "1")]) + connection.data(b"y") + connection.end()
            await connection.write(body)
            assert connection.is_reusable
        return seen

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(REQUEST + REQUEST)
        writer.write_eof()
        return await reader.read()

    seen, said = serve(handle, talk)
    assert seen == ["POST /x 1 hi"] * 2
    assert said.count(b"HTTP/1.1 200 OK") == 2


def test_waiting_ends_when_the_client_leaves() -> None:
    async def handle(connection: Connection) -> None:
        await connection.next_request("c")
        await connection.wait(None)

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REQUEST)
        await writer.drain()
        writer.close()

    assert isinstance(serve(handle, talk)[0], ConnectionResetError)


def test_what_comes_early_is_kept_for_the_next_request() -> None:
    async def handle(connection: Connection) -> str:
        await connection.next_request("c")
        await connection.wait(0.05)
        await connection.write(connection.head(200, [("content-length", "0")]) + connection.end())
        second = await connection.next_request("c")
        return second.path if second else ""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REQUEST)
        await writer.drain()
        writer.write(REQUEST)
        await reader.readline()

    assert serve(handle, talk)[0] == "/x"


def test_a_client_that_sends_on_and_on_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EARLY_BYTES", 10)

    async def handle(connection: Connection) -> None:
        await connection.next_request("c")
        await connection.write(b"!")
        await connection.wait(None)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REQUEST)
        await reader.readexactly(1)
        writer.write(REQUEST)

    assert isinstance(serve(handle, talk)[0], ConnectionResetError)


def test_a_body_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 1)

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REQUEST)

    assert isinstance(serve(lambda connection: connection.next_request("c"), talk)[0], TooLarge)


def test_a_reset_is_one() -> None:
    async def handle(connection: Connection) -> None:
        await connection.write(b"half")
        await connection.reset()

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bytes:
        half = await reader.readexactly(4)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        return half

    assert serve(handle, talk) == (None, b"half")
