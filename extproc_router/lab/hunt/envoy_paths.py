"""What Envoy's `normalize_path` makes of a path."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


def normalized(path: str) -> str:
    """Return a path with unreserved escapes written out and dot segments resolved (RFC 3986, section 6.2.2)."""
    bare, mark, query = path.partition("?")
    kept: list[str] = []
    segments = _ESCAPE.sub(_unescaped, bare).split("/")
    for segment in segments:
        if segment == "..":
            kept = kept[:-1] if len(kept) > 1 else kept
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept) + mark + query


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else match[0]
