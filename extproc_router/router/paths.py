"""What of a request's head decides whether its body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from extproc_router.types import HttpRequest

# No body that could be read has a length of more digits.
_MAX_LENGTH_DIGITS = 18


def route(path: str) -> str:
    """Return the path as upstreams will read it: without query, percent-decoded."""
    bare = path.partition("?")[0]
    return unquote(bare) if "%" in bare else bare


def is_multipart(http: HttpRequest) -> bool:
    """Whether the content type says so."""
    return http.headers.get("content-type", "").lower().startswith("multipart/")


def may_have_body(http: HttpRequest) -> bool:
    """Whether a body comes with a request; its headers alone say so in HTTP/1 and need not in HTTP/2."""
    return bool(http.body) or http.more or declared_length(http) > 0 or "transfer-encoding" in http.headers


def declared_length(http: HttpRequest) -> int:
    """Return what `content-length` says, in bytes; 0 where it says nothing."""
    value = http.headers.get("content-length", "")
    # Envoy has already refused lengths that are no numbers.
    return int(value[:_MAX_LENGTH_DIGITS]) if value.isascii() and value.isdigit() else 0
