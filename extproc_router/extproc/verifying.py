"""The verifier's wire: what it reads of Envoy's messages and says to Envoy, beyond what the router does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from envoy.type.v3 import http_status_pb2
from msgspec import Struct

from extproc_router.attempts import Verification
from extproc_router.extproc import codec
from extproc_router.extproc.commands import Continue, Phase, ReplaceChunk
from extproc_router.extproc.events import (
    BodyMode,
    Modes,
    RequestBody,
    RequestHeaders,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    Unknown,
)
from extproc_router.types import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envoy.config.core.v3 import base_pb2
    from envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest

ESCALATE: Final = "x-cascade-escalate"
"""Set to 1 in an answer's headers, it means the next attempt: the cascade's route calls it retriable."""

TERMS: Final = "terms"
"""Member of `codec.CASCADE_NAMESPACE` that holds the `Verification`, as JSON."""

_ATTEMPT: Final = "x-envoy-attempt-count"
# Not "extproc_router...": what is called so gets the content-type of an error from envoy.yaml, and this has its own.
_DETAILS: Final = "cascade_kept"
_MOST_DIGITS: Final = 9


class Attempted(Struct, frozen=True):
    """An attempt begins.

    Attributes:
        number: 1 for the first.
        asked: what the router said of the request.
        request_bytes: of its body, as far as its headers tell; 0 where they do not.
    """

    number: int
    asked: Verification
    request_bytes: int


class Unasked(Struct, frozen=True):
    """A request begins that there is nothing to judge of: the router said nothing, or nothing that we can read."""


class Answered(Struct, frozen=True):
    """The headers of an attempt's answer.

    Attributes:
        status: HTTP's; 0 where it is unreadable.
        content_type: as sent.
        compressed: whether its body is encoded.
        sized: whether it states its length.
        end_of_stream: whether it has no body.
    """

    status: int
    content_type: str
    compressed: bool
    sized: bool
    end_of_stream: bool

    @property
    def is_stream(self) -> bool:
        """Whether its body is server-sent events."""
        return self.content_type.partition(";")[0].strip().lower() == "text/event-stream"


Event: TypeAlias = (
    Attempted | Unasked | Answered | RequestBody | RequestTrailers | ResponseBody | ResponseTrailers | Unknown
)


class Head(Struct, frozen=True):
    """Let the answer's headers go on with these changes: (name, value) overwriting, and names."""

    set_headers: tuple[tuple[str, str], ...] = ()
    remove_headers: tuple[str, ...] = ()


class Serve(Struct, frozen=True):
    """Answer in the model's place: it is not asked."""

    reply: Reply


Said: TypeAlias = Continue | ReplaceChunk | Head | Serve


def can_hold(modes: Modes) -> bool:
    """Whether Envoy sends answers in the one way in which they can be held until they are judged."""
    return modes.response is BodyMode.STREAMED and modes.sends_body_early and not modes.observing


def decode(message: ProcessingRequest) -> Event:
    """Turn one message into an event."""
    match codec.decode(message):
        case RequestHeaders(http=http):
            return _attempted(message, http.headers.get(_ATTEMPT, ""), http.headers.get("content-length", ""))
        case ResponseHeaders(end_of_stream=end_of_stream):
            return _answered(message.response_headers.headers.headers, end_of_stream=end_of_stream)
        case event:
            return event


def _attempted(message: ProcessingRequest, attempt: str, length: str) -> Attempted | Unasked:
    number = _whole(attempt)
    asked = _asked(message) if number else None
    return Unasked() if asked is None else Attempted(number, asked, _whole(length))


def _asked(message: ProcessingRequest) -> Verification | None:
    """Read what the router said; None where it is nothing that can be gone by."""
    metadata = message.metadata_context.filter_metadata
    if codec.CASCADE_NAMESPACE not in metadata:
        return None
    try:
        asked = msgspec.json.decode(metadata[codec.CASCADE_NAMESPACE].fields[TERMS].string_value, type=Verification)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    sound = asked.decision_id and asked.models and len(asked.models) == len(asked.costs) and asked.first_tokens > 0
    return asked if sound else None


def _answered(pairs: Sequence[base_pb2.HeaderValue], *, end_of_stream: bool) -> Answered:
    headers = {pair.key: str(pair.raw_value, "latin-1") or pair.value for pair in pairs}
    return Answered(
        status=_whole(headers.get(":status", "")),
        content_type=headers.get("content-type", ""),
        compressed=headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"},
        sized="content-length" in headers,
        end_of_stream=end_of_stream,
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def encode(command: Said) -> bytes:
    """Turn one command into a serialised `ProcessingResponse`."""
    response = pb.ProcessingResponse()
    match command:
        case Head(set_headers, remove_headers):
            changes = getattr(response, Phase.RESPONSE_HEADERS.value).response.header_mutation
            for name, value in set_headers:
                codec.set_header(changes, name, value)
            changes.remove_headers.extend(remove_headers)
        case Serve(reply):
            immediate = response.immediate_response
            immediate.status.code = http_status_pb2.StatusCode.ValueType(reply.status)
            for name, value in reply.headers:
                codec.set_header(immediate.headers, name, value)
            immediate.body = reply.body
            immediate.details = _DETAILS
        case _:
            return codec.encode(command)
    return bytes(response.SerializeToString())
