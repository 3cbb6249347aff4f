"""One HTTP/1.1 connection of a simulated model server."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

import h11

from extproc_router.lab.simulation.answer import phrase
from extproc_router.lab.simulation.received import Received

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BODY_BYTES = 64 * 1024 * 1024
READ_BYTES = 64 * 1024
MAX_EARLY_BYTES = 1024 * 1024  # of a next request that comes before this one is answered
SETTLE_SECONDS = 0.02  # what was written must be read before the connection is reset
_MAX_HEAD_BYTES = 256 * 1024
_NO_LINGER = struct.pack("ii", 1, 0)


class TooLarge(Exception):
    """A request's body is above `MAX_BODY_BYTES`."""


class Connection:
    """Requests in, answers out. Its methods raise ConnectionError as soon as the client is seen to be gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)

    async def next_request(self, cluster: str) -> Received | None:
        """Read one whole request; None at the end of the connection.

        Raises:
            RemoteProtocolError: this is no HTTP.
            TooLarge: its body is.
        """
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(READ_BYTES))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise TooLarge
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
                return Received(cluster, head.method.decode(), head.target.decode(), headers, bytes(body))
            else:
                return None

    @property
    def is_reusable(self) -> bool:
        """Whether another request can follow."""
        return self._http.our_state is h11.DONE

    def head(self, status: int, headers: Sequence[tuple[str, str]]) -> bytes:
        """The bytes of an answer's head; they are still to be written, as a whole or in parts."""
        response = h11.Response(status_code=status, headers=list(headers), reason=phrase(status).encode())
        return self._http.send(response) or b""

    def data(self, data: bytes) -> bytes:
        """The bytes of a piece of the answer's body."""
        return (self._http.send(h11.Data(data=data)) or b"") if data else b""

    def end(self) -> bytes:
        """The bytes that end the answer."""
        return self._http.send(h11.EndOfMessage()) or b""

    async def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def wait(self, seconds: float | None) -> None:
        """Wait; for ever where it is None, which ends when the client leaves."""
        if seconds == 0:
            return
        early = 0
        try:
            async with asyncio.timeout(seconds):
                while data := await self._reader.read(READ_BYTES):
                    self._http.receive_data(data)
                    early += len(data)
                    if early > MAX_EARLY_BYTES:
                        break
        except TimeoutError:
            return
        raise ConnectionResetError

    async def reset(self) -> None:
        """End the connection with a RST, once the client had the time to read what was written."""
        await asyncio.sleep(SETTLE_SECONDS)
        if self._writer.transport.is_closing():
            return  # the client was faster
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._writer.transport.abort()
