"""Replies in the shapes that the vendors' clients read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from extproc_router.types import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.errors import ClientError

_JSON: Final = (("content-type", "application/json"),)
_EVENTS: Final = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))

# https://docs.claude.com/en/api/errors
_ANTHROPIC_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_FIRST_SERVER_ERROR = 500


def json_reply(status: int, document: object) -> Reply:
    """A reply with `document` as its JSON body."""
    return Reply(status=status, headers=_JSON, body=msgspec.json.encode(document))


def events_reply(events: Iterable[tuple[str, object]], *, end: bytes = b"") -> Reply:
    """A reply of server-sent events, all at once.

    Args:
        events: name, empty where the API has none, and the document that is the event's data.
        end: what follows them.
    """
    lines = [
        (f"event: {name}\n".encode() if name else b"") + b"data: " + msgspec.json.encode(document) + b"\n\n"
        for name, document in events
    ]
    return Reply(status=200, headers=_EVENTS, body=b"".join((*lines, end)))


def openai_error(status: int, error: ClientError) -> Reply:
    """`error` as OpenAI's clients read it: `{"error": {"message", "type", "param", "code"}}`."""
    return json_reply(status, {"error": _openai_members(error)})


def anthropic_error(status: int, error: ClientError) -> Reply:
    """`error` as Anthropic's clients read it; the type follows from the status, as their documentation says."""
    return json_reply(
        status, {"type": "error", "error": {"type": anthropic_error_type(status), "message": error.message}}
    )


def common_error(status: int, error: ClientError) -> Reply:
    """`error` for a path that both vendors' clients know: OpenAI's members in Anthropic's envelope."""
    return json_reply(status, {"type": "error", "error": _openai_members(error)})


def anthropic_error_type(status: int) -> str:
    """The error type that Anthropic documents for an HTTP status in [400, 599].

    Other client errors are `invalid_request_error`, other server errors `api_error`.
    """
    default = "api_error" if status >= _FIRST_SERVER_ERROR else "invalid_request_error"
    return _ANTHROPIC_TYPES.get(status, default)


def _openai_members(error: ClientError) -> dict[str, str | None]:
    return {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
