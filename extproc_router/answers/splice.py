"""Values of a JSON document give way to another; every other byte survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgspec import Raw


def locate(body: bytes, view: Raw) -> tuple[int, int]:
    """The byte offsets [start, end) of a value.

    Args:
        body: what was decoded.
        view: a value within it, not `raw.ABSENT`.
    """
    start = _address(view) - _address(body)
    end = start + len(view)
    # That `Raw` views its input is how msgspec works, not what it promises: a wrong splice must be impossible.
    if start < 0 or body[start:end] != bytes(view):
        raise AssertionError("msgspec.Raw is not a view of the body it was decoded from")
    return start, end


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


def _address(buffer: bytes | Raw) -> int:
    address: int = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address
