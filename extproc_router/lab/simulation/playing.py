"""Playing an answer: its pace, and the faults that strike on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.simulation import frames
from extproc_router.lab.simulation.answer import Event, event

if TYPE_CHECKING:
    from extproc_router.lab.simulation.answer import Answer
    from extproc_router.lab.simulation.behaviour import Behaviour, Place
    from extproc_router.lab.simulation.connection import Connection

DRIBBLE_BYTES = 2
CUT_HEAD_BYTES = len(b"HTTP/1.1 2")
BROKEN_OFF = event({"error": {"message": "broken off", "type": "InternalServerError", "param": None, "code": 500}})


class _Ended(Exception):
    """The fault has struck; nothing more is said on this connection."""


async def play(
    answer: Answer, behaviour: Behaviour, connection: Connection, *, server: str, bodiless: bool, pause: float = 0.0
) -> bool:
    """Give an answer at its pace, as far as the behaviour's fault lets it.

    Args:
        answer: what is said in the end.
        behaviour: of this request.
        connection: that the request came on.
        server: value of the `server` header.
        bodiless: whether the request was HEAD.
        pause: seconds before each piece of a stream, beside the pace.

    Returns:
        Whether the connection may go on.

    Raises:
        ConnectionError: the client has gone.
    """
    player = _Player(behaviour, connection, pause)
    try:
        await player.strike("before_headers")
        events = answer.events
        if events is None or behaviour.late_headers:
            await connection.wait(behaviour.ttft_seconds)
        if events is None:
            await player.take(answer.tokens)
        length = [] if events is not None else [("content-length", str(len(answer.body)))]
        headers = [("content-type", answer.content_type), ("server", server), *length, *answer.headers]
        head = connection.head(answer.status, headers)
        body = b"" if bodiless else answer.body
        if events is None and behaviour.fault == "none" and not behaviour.headers_seconds:
            await connection.write(head + connection.data(body) + connection.end())
            return connection.is_reusable
        await player.head(head)
        await player.strike("after_headers")
        if events is None:
            await player.whole(body)
        elif not bodiless:
            await player.stream(frames.spelled(events, behaviour))
        await connection.write(connection.end())
    except _Ended:
        return False
    return connection.is_reusable


class _Player:
    def __init__(self, behaviour: Behaviour, connection: Connection, pause: float) -> None:
        self._behaviour, self._connection, self._pause = behaviour, connection, pause

    async def strike(self, place: Place) -> None:
        behaviour, connection = self._behaviour, self._connection
        if behaviour.fault_at != place:
            return
        match behaviour.fault:
            case "hang":
                await connection.wait(None)
            case "reset":
                await connection.reset()
                raise _Ended
            case "close":
                raise _Ended
            case "none" | "error":  # the latter is said in the answer's own words
                return

    async def take(self, tokens: int) -> None:
        """Wait as long as that many tokens take."""
        if self._behaviour.tokens_per_second:
            await self._connection.wait(tokens / self._behaviour.tokens_per_second)

    async def head(self, data: bytes) -> None:
        behaviour, connection = self._behaviour, self._connection
        if behaviour.fault != "none" and behaviour.fault_at == "mid_headers":
            await connection.write(data[:CUT_HEAD_BYTES])
            await self.strike("mid_headers")
        if not behaviour.headers_seconds:
            await connection.write(data)
            return
        parts = list(frames.pieces(data, DRIBBLE_BYTES))
        for part in parts:
            await connection.wait(behaviour.headers_seconds / len(parts))
            await connection.write(part)

    async def whole(self, body: bytes) -> None:
        half = len(body) // 2
        await self._connection.write(self._connection.data(body[:half]))
        await self.strike("mid_answer")
        await self._connection.write(self._connection.data(body[half:]))

    async def stream(self, events: tuple[Event, ...]) -> None:
        behaviour, connection = self._behaviour, self._connection
        if not behaviour.late_headers:
            await connection.wait(behaviour.ttft_seconds)
        said = 0
        for each in events:
            if each.tokens and said >= behaviour.fault_after_tokens:
                await self.strike("mid_answer")
                if behaviour.fault == "error":
                    await connection.write(connection.data(BROKEN_OFF.data))
                    return
            if said:
                await self.take(each.tokens)
            if self._pause:
                await connection.wait(self._pause)
            said += each.tokens
            for piece in frames.pieces(each.data, behaviour.split_bytes):
                await connection.write(connection.data(piece))
