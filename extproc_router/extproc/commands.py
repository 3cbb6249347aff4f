"""What the conversation wants done: decide, or say something to Envoy."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from extproc_router.types import Decision, HttpRequest, Mutation, Reply


class Phase(StrEnum):
    """Which message an answer belongs to; the names are the fields of `ProcessingResponse`."""

    REQUEST_HEADERS = "request_headers"
    REQUEST_BODY = "request_body"
    REQUEST_TRAILERS = "request_trailers"
    RESPONSE_HEADERS = "response_headers"
    RESPONSE_BODY = "response_body"
    RESPONSE_TRAILERS = "response_trailers"


class Decide(Struct, frozen=True):
    """The request is as complete as it will get: have it decided, then call `Exchange.answer`."""

    http: HttpRequest


class Continue(Struct, frozen=True):
    """Go on, nothing changed."""

    phase: Phase


class Mutate(Struct, frozen=True):
    """Go on with these changes, and choose the route again.

    Attributes:
        skip_body: we have no use for the body; ask Envoy not to send it (honoured with `allow_mode_override`).
    """

    phase: Phase
    mutation: Mutation
    decision: Decision
    skip_body: bool = False


class ReplaceChunk(Struct, frozen=True):
    """Answer to one STREAMED chunk: `data` goes on in its place (empty: nothing does)."""

    phase: Phase
    data: bytes


class StreamChunk(Struct, frozen=True):
    """A piece of body for FULL_DUPLEX_STREAMED, where Envoy keeps none of its own."""

    phase: Phase
    data: bytes
    end_of_stream: bool


class Respond(Struct, frozen=True):
    """Answer the client directly; upstream is not called."""

    reply: Reply
    decision: Decision


Command: TypeAlias = Decide | Continue | Mutate | ReplaceChunk | StreamChunk | Respond
