"""Bodies that two readers may read differently: JSON lets a member be given twice, and does not say which counts."""

from __future__ import annotations

import json
from typing import Any, Final

MAX_OBJECTS: Final = 50_000
"""In one body; some 25 ms of walking."""


class _Twice(Exception):
    """A member is given twice."""


def ambiguity(body: bytes) -> str:
    """Say in what a body is ambiguous; empty where it is not.

    Args:
        body: valid JSON.
    """
    if body.count(b"{") > MAX_OBJECTS:
        return "in too many pieces"
    try:
        json.loads(body, object_pairs_hook=_once)
    except _Twice:
        return "ambiguous: a member is given twice"
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        return "too deep or too long to be read twice"
    return ""


def _once(pairs: list[tuple[str, Any]]) -> None:
    # Some servers read names without their case.
    if len(pairs) > 1 and len({name.casefold() for name, _ in pairs}) < len(pairs):
        raise _Twice
