"""One HTTP request's conversation with Envoy, as a state machine: events in, commands out.

Every message that Envoy expects an answer to gets exactly one, in order. What is held back until the decision (the
answer to the headers, in the modes that allow it) comes out of `answer`.

| request body mode            | headers are answered          | the body is answered                         |
|------------------------------|-------------------------------|----------------------------------------------|
| BUFFERED                     | at once, CONTINUE             | with the decision                            |
| FULL_DUPLEX_STREAMED         | with the decision             | by streaming it back                         |
| STREAMED, body sent early    | with the decision             | chunk for chunk; the last carries a new body |
| STREAMED, else; NONE;        | at once, with the decision    | CONTINUE: it came too late to be read        |
| BUFFERED_PARTIAL             |                               |                                              |
| any, the body is not wanted  | at once, with the decision,   | CONTINUE, should it come all the same        |
|                              | asking Envoy to skip the body |                                              |
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from extproc_router.errors import LocalProtocolError, RemoteProtocolError
from extproc_router.extproc.commands import (
    Command,
    Continue,
    Decide,
    Mutate,
    Phase,
    ReplaceChunk,
    Respond,
    StreamChunk,
)
from extproc_router.extproc.events import (
    BodyMode,
    Event,
    Modes,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    Unknown,
)
from extproc_router.types import Answer, HttpRequest, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

# One gRPC message of a streamed body; Envoy's own chunks are of this order.
STREAM_CHUNK_BYTES = 64 * 1024


class RequestState(Enum):
    """How far the request has come."""

    IDLE = auto()  # nothing seen
    GATHERING = auto()  # headers seen, body wanted
    DECIDING = auto()  # `Decide` is out; `answer` must come next
    PASSING = auto()  # decided; what still comes goes on as it is
    DONE = auto()  # its end was seen and decided


class ResponseState(Enum):
    """How far the response has come."""

    IDLE = auto()
    OPEN = auto()
    DONE = auto()


class Exchange:
    """The conversation about one HTTP request.

    Args:
        modes: what Envoy said of this stream in its first message.
        wants_body: whether a request with these headers is to be read further.
        max_body_bytes: gathering stops above this length, and the decision is asked for at once.
    """

    def __init__(self, modes: Modes, wants_body: Callable[[HttpRequest], bool], max_body_bytes: int) -> None:
        self._modes = modes
        self._wants_body = wants_body
        self._max_body_bytes = max_body_bytes
        self._request = RequestState.IDLE
        self._response = ResponseState.IDLE
        self._responded = False
        self._http: HttpRequest | None = None
        self._chunks: list[bytes] = []
        self._gathered = 0
        # What `answer` needs to know of the moment at which the decision was asked for.
        self._asked_at = Phase.REQUEST_HEADERS
        self._ended = False
        # Held: Envoy still waits for our answer to the headers.
        self._holds_headers = modes.request is BodyMode.FULL_DUPLEX_STREAMED or (
            modes.request is BodyMode.STREAMED and modes.sends_body_early
        )
        self._can_read = self._holds_headers or modes.request is BodyMode.BUFFERED

    @property
    def finished(self) -> bool:
        """Whether the client was answered directly: Envoy will send nothing more that wants an answer."""
        return self._responded

    def receive(self, event: Event) -> list[Command]:
        """Take one message from Envoy.

        Returns:
            The commands to carry out, in order.

        Raises:
            RemoteProtocolError: the message may not come here.
            LocalProtocolError: `answer` is owed first.
        """
        if self._request is RequestState.DECIDING:
            raise LocalProtocolError("a decision was asked for; answer() must come before the next message")
        if self._responded:
            return []  # in flight when we answered the client; Envoy has closed its side
        commands = self._dispatch(event)
        if self._modes.observing:
            return [command for command in commands if isinstance(command, Decide)]
        return commands

    def answer(self, answer: Answer) -> list[Command]:
        """Take the decision that `Decide` asked for; returns what is to be said to Envoy.

        Raises:
            LocalProtocolError: nothing was asked.
        """
        if self._request is not RequestState.DECIDING:
            raise LocalProtocolError("no decision was asked for")
        self._request = RequestState.DONE if self._ended else RequestState.PASSING
        chunks, self._chunks, self._http = self._chunks, [], None
        if self._modes.observing:
            return []
        if isinstance(answer.action, Reply):
            self._responded = True
            return [Respond(answer.action, answer.decision)]
        if self._asked_at is Phase.REQUEST_HEADERS:
            skip = not self._ended and self._modes.request not in (BodyMode.NONE, BodyMode.FULL_DUPLEX_STREAMED)
            return [Mutate(Phase.REQUEST_HEADERS, answer.action, answer.decision, skip_body=skip)]
        if not self._holds_headers:
            return [Mutate(Phase.REQUEST_BODY, answer.action, answer.decision)]
        headers_only = msgspec.structs.replace(answer.action, body=None)
        head = Mutate(Phase.REQUEST_HEADERS, headers_only, answer.decision)
        return [head, *self._release(chunks, answer.action.body)]

    def _dispatch(self, event: Event) -> list[Command]:  # noqa: PLR0911 - one return per kind of message
        match event:
            case RequestHeaders():
                return self._on_request_headers(event)
            case RequestBody():
                return self._on_request_body(event)
            case RequestTrailers():
                return self._on_request_trailers()
            case ResponseHeaders():
                return self._on_response_headers(event)
            case ResponseBody():
                return self._on_response_body(event)
            case ResponseTrailers():
                return self._on_response_trailers()
            case Unknown():
                return []

    def _on_request_headers(self, event: RequestHeaders) -> list[Command]:
        if self._request is not RequestState.IDLE:
            raise RemoteProtocolError("request headers came twice")
        self._http = event.http
        if event.end_of_stream or not self._can_read or not self._wants_body(event.http):
            self._holds_headers = False
            return self._ask(Phase.REQUEST_HEADERS, ended=event.end_of_stream)
        self._request = RequestState.GATHERING
        return [] if self._holds_headers else [Continue(Phase.REQUEST_HEADERS)]

    def _on_request_body(self, event: RequestBody) -> list[Command]:
        if self._request is RequestState.DONE:
            raise RemoteProtocolError("request body came after the request's end")
        if self._request is not RequestState.GATHERING:
            # Decided on the headers, or Envoy is configured not to show them: the bytes go on as they are.
            self._request = RequestState.DONE if event.end_of_stream else RequestState.PASSING
            return [self._pass(Phase.REQUEST_BODY, event.data, end_of_stream=event.end_of_stream)]
        self._chunks.append(event.data)
        self._gathered += len(event.data)
        # A BUFFERED body is whole even where trailers, and not it, end the stream.
        whole = event.end_of_stream or self._modes.request is BodyMode.BUFFERED
        if whole or self._gathered > self._max_body_bytes:
            return self._ask(Phase.REQUEST_BODY, ended=event.end_of_stream)
        return []

    def _on_request_trailers(self) -> list[Command]:
        if self._request is RequestState.DONE:
            raise RemoteProtocolError("request trailers came after the request's end")
        if self._request is RequestState.GATHERING and self._holds_headers:
            asked = self._ask(Phase.REQUEST_BODY, ended=False)
            self._asked_at = Phase.REQUEST_TRAILERS
            return asked
        # BUFFERED with trailers and no body at all: the headers went on long ago.
        self._request = RequestState.DONE
        return [Continue(Phase.REQUEST_TRAILERS)]

    def _on_response_headers(self, event: ResponseHeaders) -> list[Command]:
        if self._response is not ResponseState.IDLE:
            raise RemoteProtocolError("response headers came twice")
        self._response = ResponseState.DONE if event.end_of_stream else ResponseState.OPEN
        if self._request is RequestState.GATHERING:
            # Envoy answered by itself (a body above its own limit, say): there is nothing left to route.
            self._request, self._chunks, self._http = RequestState.PASSING, [], None
        return [Continue(Phase.RESPONSE_HEADERS)]

    def _on_response_body(self, event: ResponseBody) -> list[Command]:
        if self._response is ResponseState.DONE:
            raise RemoteProtocolError("response body came after the response's end")
        self._response = ResponseState.DONE if event.end_of_stream else ResponseState.OPEN
        return [self._pass(Phase.RESPONSE_BODY, event.data, end_of_stream=event.end_of_stream)]

    def _on_response_trailers(self) -> list[Command]:
        if self._response is ResponseState.DONE:
            raise RemoteProtocolError("response trailers came after the response's end")
        self._response = ResponseState.DONE
        return [Continue(Phase.RESPONSE_TRAILERS)]

    def _ask(self, phase: Phase, *, ended: bool) -> list[Command]:
        if self._http is None:  # pragma: no cover  # IDLE never asks
            raise LocalProtocolError("a decision needs headers")
        self._request, self._asked_at, self._ended = RequestState.DECIDING, phase, ended
        body = None if phase is Phase.REQUEST_HEADERS else b"".join(self._chunks)
        return [Decide(msgspec.structs.replace(self._http, body=body, more=body is None and not ended))]

    def _pass(self, phase: Phase, data: bytes, *, end_of_stream: bool) -> Command:
        mode = self._modes.request if phase is Phase.REQUEST_BODY else self._modes.response
        if mode is BodyMode.FULL_DUPLEX_STREAMED:
            return StreamChunk(phase, data, end_of_stream)
        return Continue(phase)

    def _release(self, chunks: list[bytes], body: bytes | None) -> list[Command]:
        """Answer the chunks that were held, with the new body where there is one."""
        phase = Phase.REQUEST_BODY
        trailers: list[Command] = []
        if self._asked_at is Phase.REQUEST_TRAILERS:
            self._request = RequestState.DONE
            trailers = [Continue(Phase.REQUEST_TRAILERS)]
        if self._modes.request is BodyMode.FULL_DUPLEX_STREAMED:
            return [*_stream(b"".join(chunks) if body is None else body, end_of_stream=self._ended), *trailers]
        if body is None:
            return [*(Continue(phase) for _ in chunks), *trailers]
        return [*(ReplaceChunk(phase, b"") for _ in chunks[1:]), ReplaceChunk(phase, body), *trailers]


def _stream(body: bytes, *, end_of_stream: bool) -> list[Command]:
    if not body and not end_of_stream:
        return []  # trailers end a request that had no body
    starts = range(0, max(len(body), 1), STREAM_CHUNK_BYTES)
    return [
        StreamChunk(
            Phase.REQUEST_BODY,
            body[start : start + STREAM_CHUNK_BYTES],
            end_of_stream and start + STREAM_CHUNK_BYTES >= len(body),
        )
        for start in starts
    ]
