from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc

from extproc_router.errors import RemoteProtocolError
from extproc_router.server import streams

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest


class Context:
    """What is asked of a gRPC context."""

    def __init__(self) -> None:
        self.ended: tuple[grpc.StatusCode, str] | None = None

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.ended = code, details


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def stream_opened(self) -> None:
        self.told.append("opened")

    def stream_closed(self) -> None:
        self.told.append("closed")

    def failed(self, kind: str) -> None:
        self.told.append(kind)


def held(converse: Callable[[Any], Awaitable[None]]) -> tuple[Any, list[str]]:
    context, listener = Context(), Listener()
    some_context: Any = context
    some_listener: Any = listener
    asyncio.run(streams.answer(converse, some_context, some_listener, of="test"))
    return context.ended, listener.told


def raising(error: Exception) -> Callable[[Any], Awaitable[None]]:
    async def converse(_: Any) -> None:
        raise error

    return converse


async def nothing(_: Any) -> None:
    """Say nothing."""


def test_a_stream_is_opened_and_closed() -> None:
    assert held(nothing) == (None, ["opened", "closed"])


def test_what_envoy_did_wrong_is_said_to_envoy() -> None:
    ended, told = held(raising(RemoteProtocolError("request headers came twice")))
    assert ended == (grpc.StatusCode.INVALID_ARGUMENT, "request headers came twice")
    assert told == ["opened", "protocol_error", "closed"]


def test_a_defect_of_ours_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    ended, told = held(raising(ValueError("what a client wrote")))
    assert ended == (grpc.StatusCode.INTERNAL, "internal error")
    assert told == ["opened", "internal_error", "closed"]
    assert "a stream of the test failed: ValueError" in caplog.text
    assert "what a client wrote" not in caplog.text
