"""Server-sent events as lines: where their data is. https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

BLANK_LINE: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
"""Ends an event. Each line ends in CRLF, LF or CR."""

BOM: Final = b"\xef\xbb\xbf"
"""May begin a stream, and is not of its first line."""

_LINE: Final = re.compile(rb"([^:\r\n]*+)(?::[ ]?+([^\r\n]*+))?+(?:\r\n|\r|\n|\Z)")


def data_spans(event: bytes, start: int = 0) -> list[tuple[int, int]]:
    """The byte offsets [start, end) of an event's data, one for each of its lines; empty where it has none.

    Args:
        event: its lines, with their ends.
        start: where the first line begins.
    """
    lines = _LINE.finditer(event, start)
    return [line.span(2) if line[2] is not None else (line.end(1),) * 2 for line in lines if line[1] == b"data"]


def data_of(event: bytes, spans: Sequence[tuple[int, int]]) -> bytes:
    """The data at `spans`, the lines of it joined by LF."""
    if len(spans) == 1:
        return event[slice(*spans[0])]
    return b"\n".join(event[start:end] for start, end in spans)


def with_data(event: bytes, spans: Sequence[tuple[int, int]], data: bytes) -> bytes:
    """The event with other data, which is JSON.

    Of several lines all but the first become empty: what is between two tokens of JSON means nothing.
    """
    pieces: list[bytes] = []
    position = 0
    text = data.replace(b"\n", b" ")  # one line; within its strings JSON has no LF
    for start, end in spans:
        pieces += (event[position:start], text)
        position, text = end, b""
    return b"".join((*pieces, event[position:]))
