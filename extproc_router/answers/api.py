"""What the answers of one client API are to this room, and how a document that somebody else wrote is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from extproc_router.answers.gathered import Gathered

T = TypeVar("T")


class Event(Struct, frozen=True):
    """What the bytes of one server-sent event hold.

    Attributes:
        logprobs: views of the log-probabilities that may be stripped.
        usage: whether it tells the usage, and nothing else.
        last: whether no other event that says anything may follow.
    """

    logprobs: Sequence[Raw] = ()
    usage: bool = False
    last: bool = False


class Api(Struct, frozen=True):
    """The answers of one API.

    Attributes:
        whole: reads a whole answer, and returns views of the log-probabilities that may be stripped.
        event: reads the data of one event.
        stripped: JSON that stands where log-probabilities were stripped: what stands there if none are asked for.
    """

    whole: Callable[[bytes, Gathered], Sequence[Raw]]
    event: Callable[[bytes, Gathered], Event]
    stripped: bytes


def attempt(hear: Callable[[bytes, Gathered], T], document: bytes, gathered: Gathered) -> tuple[bytes, T] | None:
    """Read a document.

    Returns:
        The bytes that views count in, as many as `document` has, and what `hear` says of them; None where they cannot
        be read: no JSON, no object, not UTF-8, or nested deeper than Python's stack (near 1,000).
    """
    version = document
    while True:
        try:
            return version, hear(version, gathered)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            mended = _mended(version)
            if mended == version:
                return None
            version = mended


# A pair of surrogates, half a pair, or any other escape.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def _mended(document: bytes) -> bytes:
    """The same with U+FFFD for half surrogate pairs, which msgspec does not take.

    Servers written in JavaScript stream an emoji as two of them. The escape is as long, so offsets hold.
    """
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], document)
