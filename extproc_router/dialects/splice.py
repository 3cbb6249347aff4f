"""Where a value stands in a body: the offsets of the views that reading it gave.

The body is never serialised again. Key order, number spelling, escapes, whitespace, unknown members and duplicates
survive byte for byte (docs/decisions/0003-lossless-bodies.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.dialects import raw as raws
from extproc_router.errors import InvalidRequest

if TYPE_CHECKING:
    from msgspec import Raw


def find_model(body: bytes, model: Raw) -> tuple[str, tuple[int, int]]:
    """What the client asked for and where.

    Args:
        body: a valid JSON object.
        model: the view of the value within `body`, or `raw.ABSENT`. Of duplicate members it is the last, the one
            which JSON parsers keep.

    Returns:
        `Request.model` and `Request.model_span`.

    Raises:
        InvalidRequest: the value is neither a string nor null.
    """
    if len(model) == 0:
        start = body.index(b"{") + 1
        return "", (start, start)
    if raws.is_present(model) and not raws.is_string(model):
        raise InvalidRequest("'model' must be a string.", param="model")
    return raws.string(model), locate(body, model)


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


def _address(buffer: bytes | Raw) -> int:
    address: int = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address
