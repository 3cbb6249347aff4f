"""A request body as a JSON document, decoded only as far as a dialect asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import msgspec

T = TypeVar("T")


def read_object(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a whole body; syntax is checked everywhere, types only where `decoder` names them.

    Raises:
        UnicodeDecodeError: not UTF-8. msgspec checks that only in the strings it decodes, hence the look beforehand.
        msgspec.DecodeError: not JSON, or not of the shape that `decoder` asks for.
        RecursionError: nested deeper than Python's stack; the limit is near 1,000.
    """
    # ASCII is UTF-8, and finding out that it is ASCII copies nothing.
    if not body.isascii():
        body.decode()
    return decoder.decode(body)
