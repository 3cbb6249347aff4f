"""Values of a JSON document give way to another; every other byte survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def splice(body: bytes, spans: Iterable[tuple[int, int]], text: bytes) -> bytes:
    """Put `text` in the place of each of the spans.

    Args:
        body: what the spans count in.
        spans: byte offsets [start, end), not overlapping, in any order.
        text: UTF-8.

    Returns:
        `body` itself where there are none.
    """
    view = memoryview(body)  # slices of it are not copies
    pieces: list[bytes | memoryview] = []
    position = 0
    for start, end in sorted(spans):
        pieces += (view[position:start], text)
        position = end
    return b"".join((*pieces, view[position:])) if pieces else body
