"""An HTTP answer of a simulated model server, before it is played."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, TypeAlias

from msgspec import Struct

Json: TypeAlias = dict[str, Any]

CREATED = 1_767_225_600  # a fixed time: the same request gets the same answer


class Event(Struct, frozen=True):
    """One server-sent event: its bytes with the blank line at its end, and how many tokens of the answer it tells."""

    data: bytes
    tokens: int = 0


class Answer(Struct, frozen=True):
    """An HTTP answer.

    Attributes:
        status: of HTTP.
        content_type: of the body.
        body: the whole of it; empty for a stream.
        events: a stream's; None where the answer is whole.
        tokens: how many tokens a whole answer took.
        headers: more of them, names in lower case.
    """

    status: int = 200
    content_type: str = "application/json"
    body: bytes = b""
    events: tuple[Event, ...] | None = None
    tokens: int = 0
    headers: tuple[tuple[str, str], ...] = ()


def whole(value: Json, *, status: int = 200, tokens: int = 0) -> Answer:
    """A JSON answer."""
    return Answer(status=status, body=json.dumps(value).encode(), tokens=tokens)


def event(value: Json, name: str = "", *, tokens: int = 0) -> Event:
    """One event with JSON data; `name` is its `event:` line, empty where the API has none."""
    prefix = f"event: {name}\n" if name else ""
    return Event(f"{prefix}data: {json.dumps(value)}\n\n".encode(), tokens)


def phrase(status: int) -> str:
    """What a status is called; 529, which Anthropic gives, has no name in HTTP."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded"


DONE = Event(b"data: [DONE]\n\n")
