"""Tool calls that no client can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from extproc_router.attempts import Called, Heard, Verification


def unreadable(heard: Heard, _asked: Verification, early: bool) -> bool:  # noqa: FBT001 - every sign is called alike
    """Whether a call lacks its tool's name, or its arguments are no JSON object."""
    return not early and any(map(_unreadable, heard.calls))


def _unreadable(call: Called) -> bool:
    if not call.name.strip():
        return True
    if not call.arguments.strip():  # how some servers write a call without arguments
        return False
    try:
        return not isinstance(msgspec.json.decode(call.arguments), dict)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return True
