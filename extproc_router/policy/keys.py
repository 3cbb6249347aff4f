"""What requests are told apart by: for percentages, for splits, and for staying with a model.

Keys may be what a client wrote: they are compared and hashed, never logged and never put into a reason.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.types import Request

CONVERSATION = "conversation"
REQUEST = "request"
HEADER_PREFIX = "header:"

_USER_ROLES = frozenset({"user", "human"})
_OPERATOR_ROLES = frozenset({"system", "developer"})

# Of 64 bits 52 are kept: a number of so many and a half fits a double's 53.
_DROPPED = 12
_STEP = 2.0**-52


def key_of(by: str, headers: Mapping[str, str], request: Request, request_id: str) -> str | None:
    """Return the key of a request.

    All requests of one conversation begin with the same turns, and no API numbers conversations alike: its key is a
    digest of the system prompt and of the user's first turn. Two conversations that begin alike share it. Where the
    server keeps the conversation and a request holds its last turn alone, each turn is a conversation of its own.

    Args:
        by: `conversation`, `request` or `header:NAME`, NAME in lower case.
        headers: lower-case names.
        request: what a dialect read.
        request_id: value of x-request-id; empty where there was none.

    Returns:
        None where the request has no such key: no id, no such header or an empty one, no user turn or a first one
        without text.
    """
    if by == CONVERSATION:
        return _conversation(request)
    if by == REQUEST:
        return request_id or None
    return headers.get(by.removeprefix(HEADER_PREFIX)) or None


def share(key: str, salt: str) -> float:
    """Return where a key falls between 0 and 1: uniform, and the same in every process and version.

    Args:
        key: as `key_of` gives it.
        salt: under another one, the same keys fall elsewhere.

    Returns:
        A multiple of 2^-53 in (0, 1): neither end is met, so that its logarithm exists and is not 0.
    """
    # The length says where the salt ends, whatever either holds.
    digest = blake2b(f"{len(salt)}:{salt}{key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> _DROPPED) + 0.5) * _STEP


def _conversation(request: Request) -> str | None:
    beginning = list(_beginning(request))
    if not beginning or not beginning[-1].strip():
        return None
    digest = blake2b(digest_size=16)
    for text in beginning:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return digest.hexdigest()


def _beginning(request: Request) -> Iterator[str]:
    """Yield the operator's texts up to the user's first turn, and that; nothing where the user says nothing."""
    first = next((place for place, turn in enumerate(request.turns) if turn.role in _USER_ROLES), None)
    if first is None:
        return
    for turn in request.turns[:first]:
        if turn.role in _OPERATOR_ROLES:
            yield turn.text
    yield request.turns[first].text
