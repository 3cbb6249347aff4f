"""What Envoy tells us, one type per message of `envoy.service.ext_proc.v3.ProcessingRequest`."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

from msgspec import Struct

from extproc_router.types import HttpRequest


class BodyMode(IntEnum):
    """Envoy's `ProcessingMode.BodySendMode`, number for number."""

    NONE = 0
    STREAMED = 1
    BUFFERED = 2
    BUFFERED_PARTIAL = 3
    FULL_DUPLEX_STREAMED = 4


class Modes(Struct, frozen=True):
    """How Envoy will send this stream's bodies; told in its first message.

    Attributes:
        request: mode of the request body.
        response: mode of the response body.
        sends_body_early: STREAMED bodies arrive without waiting for our answer to the headers, so it can be held.
        observing: Envoy copies messages to us and wants no answers.
    """

    request: BodyMode = BodyMode.BUFFERED
    response: BodyMode = BodyMode.NONE
    sends_body_early: bool = False
    observing: bool = False


class RequestHeaders(Struct, frozen=True):
    """The request's headers; `http.body` is None."""

    http: HttpRequest
    end_of_stream: bool


class RequestBody(Struct, frozen=True):
    """The request's body (BUFFERED) or a piece of it."""

    data: bytes
    end_of_stream: bool


class RequestTrailers(Struct, frozen=True):
    """The request's trailers: its end, where they come."""


class ResponseHeaders(Struct, frozen=True):
    """The response's headers."""

    end_of_stream: bool


class ResponseBody(Struct, frozen=True):
    """The response's body or a piece of it."""

    data: bytes
    end_of_stream: bool


class ResponseTrailers(Struct, frozen=True):
    """The response's trailers."""


class Unknown(Struct, frozen=True):
    """A message of a kind that this version does not know; Envoy moves."""


Event: TypeAlias = (
    RequestHeaders | RequestBody | RequestTrailers | ResponseHeaders | ResponseBody | ResponseTrailers | Unknown
)
