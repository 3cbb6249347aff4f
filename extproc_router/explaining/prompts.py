"""One line of the data that two configs are compared on.

{"text"} is sent as one user message, {"messages"} as a chat completion, {"body"} as it is, to "path" with "headers"
where they are given. "id" is optional, a text or a whole number.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from extproc_router.explaining.requests import CHAT, messages_body, prompt_body
from extproc_router.types import HttpRequest

_NONE = msgspec.Raw()


class Line(Struct, frozen=True):
    """A line as written; unknown members are ignored."""

    id: str | int | None = None
    text: str | None = None
    messages: list[Any] | None = None
    body: msgspec.Raw = _NONE
    headers: dict[str, str] = {}
    path: str = CHAT


_DECODER = msgspec.json.Decoder(Line)


def read(line: bytes) -> Line:
    """Read a line.

    Raises:
        ValueError: it is none; the message says why.
    """
    try:
        read_line = _DECODER.decode(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    given = (read_line.text is not None, read_line.messages is not None, bool(bytes(read_line.body)))
    if sum(given) != 1:
        raise ValueError("expected one of `text`, `messages` and `body`")
    return read_line


def request(line: Line, auto: str) -> HttpRequest:
    """Return what the client sends.

    Args:
        line: as read.
        auto: what it asks for as its model, where the line does not say: a name that leaves the choice to the router.

    Raises:
        ValueError: the path's API takes no messages.
    """
    if line.text is not None:
        body = prompt_body(line.path, auto, line.text)
    elif line.messages is not None:
        body = messages_body(line.path, auto, line.messages)
    else:
        body = bytes(line.body)
    return HttpRequest("POST", line.path, {name.lower(): value for name, value in line.headers.items()}, body)
