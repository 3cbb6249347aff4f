"""Views of JSON values that were validated, but not decoded: `msgspec.Raw` holds their bytes without a copy.

A value is decoded only once its kind is known, so none of these functions can fail on a body that was read as a whole.
An absent member is the empty view, `ABSENT`.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from msgspec import Raw

ABSENT: Final = Raw(b"")

MAX_ITEMS: Final = 4096
"""Objects of one array that are looked at by `objects`: a bound on time. OpenAI gives at most 128 choices."""

# A Raw equals other Raws only, never bytes.
_NULL, _TRUE, _FALSE = Raw(b"null"), Raw(b"true"), Raw(b"false")
_QUOTE, _BRACKET, _BRACE = b'"[{'
_NUMBER = frozenset(b"-0123456789")
_EXACT = 2**53
_STRING = msgspec.json.Decoder(str)
_ARRAY = msgspec.json.Decoder(list[Raw])


def is_string(raw: Raw) -> bool:
    """Whether the value is a JSON string."""
    return len(raw) > 0 and memoryview(raw)[0] == _QUOTE


def is_array(raw: Raw) -> bool:
    """Whether the value is a JSON array."""
    return len(raw) > 0 and memoryview(raw)[0] == _BRACKET


def is_object(raw: Raw) -> bool:
    """Whether the value is a JSON object."""
    return len(raw) > 0 and memoryview(raw)[0] == _BRACE


def is_present(raw: Raw) -> bool:
    """Whether the member is there and not null."""
    return len(raw) > 0 and raw != _NULL


def is_true(raw: Raw) -> bool:
    """Whether the value is `true`, and no other value that somebody may take for it."""
    return raw == _TRUE


def is_false(raw: Raw) -> bool:
    """Whether the value is `false`."""
    return raw == _FALSE


def number(raw: Raw) -> float | None:
    """What a number says, infinite where it is too large; None for any other value."""
    return float(bytes(raw)) if len(raw) > 0 and memoryview(raw)[0] in _NUMBER else None


def whole(raw: Raw) -> int | None:
    """The whole number above 0, up to 2 ** 53, that the value is, however it is spelled; None for any other value."""
    value = number(raw)
    return int(value) if value is not None and 0 < value <= _EXACT and value.is_integer() else None


def string(raw: Raw) -> str:
    """The text of a string; empty for any other value."""
    return _STRING.decode(raw) if is_string(raw) else ""


def items(raw: Raw) -> list[Raw]:
    """The elements of an array; none for any other value."""
    return _ARRAY.decode(raw) if is_array(raw) else []


def text(raw: Raw) -> str:
    """The text of a string, the JSON text of any other value; empty for null."""
    if is_string(raw):
        return _STRING.decode(raw)
    return bytes(raw).decode() if is_present(raw) else ""


def objects(raw: Raw) -> list[Raw]:
    """Those of an array's first `MAX_ITEMS` elements that are objects; none for any other value."""
    return [item for item in items(raw)[:MAX_ITEMS] if is_object(item)]


def locate(document: bytes, view: Raw) -> tuple[int, int]:
    """The byte offsets [start, end) of a value.

    Args:
        document: what was decoded.
        view: a value within it, not `ABSENT`.
    """
    start = _address(view) - _address(document)
    end = start + len(view)
    # That `Raw` views its input is how msgspec works, not what it promises: a wrong splice must be impossible.
    if start < 0 or document[start:end] != bytes(view):
        raise AssertionError("msgspec.Raw is not a view of the document it was decoded from")
    return start, end


def _address(buffer: bytes | Raw) -> int:
    address: int = np.frombuffer(buffer, np.uint8).__array_interface__["data"][0]
    return address
