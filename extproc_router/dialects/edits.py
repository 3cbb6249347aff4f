"""Edits of a body: which bytes of the original give way to which others.

They are made apart from each other, all against the same original, and meet in one `apply`. Every byte that no edit
names is the client's own (docs/decisions/0003-lossless-bodies.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

_CLOSES = re.compile(rb"[ \t\n\r]*[\]}]")


class Edit(Struct, frozen=True):
    """Bytes [start, end) of the original body become `text`; where start == end, `text` goes in before them.

    Attributes:
        element: whether `text` is a member of an object, or an element of an array, that becomes its first:
            `start` is then the offset after the bracket, and `apply` sets the commas.
    """

    start: int
    end: int
    text: bytes
    element: bool = False


Settled: TypeAlias = tuple[int, int, bytes]
"""Bytes [start, end) become this text, commas and all."""


def apply(body: bytes, edits: Iterable[Edit]) -> bytes:
    """Make all edits at once.

    What is inserted at one place keeps the order of `edits` and goes before what replaces the bytes that follow. Edits
    that overlap, as two searches for personal data may give them, become one: the bytes of both give way to the text
    of the one that starts first, or came first.

    Args:
        body: what the offsets count in.
        edits: in any order.

    Returns:
        `body` itself where there are none.
    """
    settled = settle(body, edits)
    if not settled:
        return body
    view = memoryview(body)  # slices of it are not copies
    pieces: list[bytes | memoryview] = []
    position = 0
    for start, end, text in settled:
        pieces += (view[position:start], text)
        position = end
    pieces.append(view[position:])
    return b"".join(pieces)


def settle(body: bytes, edits: Iterable[Edit]) -> list[Settled]:
    """Put edits in order, with their commas, and those that overlap as one; arguments as in `apply`."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end > edit.start))
    settled: list[Settled] = []
    position = 0
    for index, edit in enumerate(ordered):
        if edit.start >= position:
            comma = edit.element and not _is_last(body, ordered, index)
            settled.append((edit.start, edit.end, edit.text + b"," if comma else edit.text))
        elif edit.end > position:
            start, _, text = settled[-1]
            settled[-1] = (start, edit.end, text)
        position = max(position, edit.end)
    return settled


def _is_last(body: bytes, ordered: list[Edit], index: int) -> bool:
    edit = ordered[index]
    following = ordered[index + 1] if index + 1 < len(ordered) else None
    if following is not None and following.element and following.start == edit.start:
        return False
    return _CLOSES.match(body, edit.start) is not None
