"""The one member that is ever rewritten: find the value of `model` in a body, and put another in its place.

The body is never serialised again. Key order, number spelling, escapes, whitespace, unknown members and duplicates
survive byte for byte (docs/decisions/0003-lossless-bodies.md).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np

from extproc_router.dialects import raw as raws
from extproc_router.errors import InvalidRequest

if TYPE_CHECKING:
    from msgspec import Raw

    from extproc_router.types import Request

_EMPTY_OBJECT = re.compile(rb"[ \t\n\r]*\}")


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
    return raws.string(model), _span(body, model)


def with_model(body: bytes, request: Request, model: str) -> bytes:
    """The body with `model` as its model; every byte outside `request.model_span` is the client's own.

    Args:
        body: the bytes that `request` was read from.
        request: what a dialect's `read` returned for them.
        model: the new value, written in ASCII with JSON escapes.

    Returns:
        `body` itself where it already names `model`; else new bytes. An absent member becomes the object's first.
    """
    start, end = request.model_span
    view = memoryview(body)  # slices of it are not copies
    if start == end:
        comma = b"" if _EMPTY_OBJECT.match(body, start) else b","
        return b"".join((view[:start], b'"model":', json.dumps(model).encode(), comma, view[start:]))
    # An empty string and null both read as "", so the bytes decide.
    if request.model == model and body[start:end] != b"null":
        return body
    return b"".join((view[:start], json.dumps(model).encode(), view[end:]))


def _span(body: bytes, view: Raw) -> tuple[int, int]:
    start = _address(view) - _address(body)
    end = start + len(view)
    # That `Raw` views its input is how msgspec works, not what it promises: a wrong splice must be impossible.
    if start < 0 or body[start:end] != bytes(view):
        raise AssertionError("msgspec.Raw is not a view of the body it was decoded from")
    return start, end


def _address(buffer: bytes | Raw) -> int:
    address: int = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address
