"""Where a value stands in a body: the offsets of the views that reading it gave.

The body is never serialised again. Key order, number spelling, escapes, whitespace, unknown members and duplicates
survive byte for byte (docs/decisions/0003-lossless-bodies.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router import json_views
from extproc_router.errors import InvalidRequest
from extproc_router.json_views import locate

if TYPE_CHECKING:
    from msgspec import Raw


def find_model(body: bytes, model: Raw) -> tuple[str, tuple[int, int]]:
    """What the client asked for and where.

    Args:
        body: a valid JSON object.
        model: the view of the value within `body`, or `json_views.ABSENT`. Of duplicate members it is the last, the one
            which JSON parsers keep.

    Returns:
        `Request.model` and `Request.model_span`.

    Raises:
        InvalidRequest: the value is neither a string nor null.
    """
    if len(model) == 0:
        start = body.index(b"{") + 1
        return "", (start, start)
    if json_views.is_present(model) and not json_views.is_string(model):
        raise InvalidRequest("'model' must be a string.", param="model")
    return json_views.string(model), locate(body, model)
