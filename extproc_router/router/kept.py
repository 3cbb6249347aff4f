"""What decisions keep of what a client wrote."""

from __future__ import annotations

import re

_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def identifier(text: str) -> str:
    """Return what stands where a name or an id belongs, and nothing where it is none: prose may be a prompt."""
    return text if _ID.fullmatch(text) else ""
