"""Views of JSON values that were validated, but not decoded: `msgspec.Raw` holds their bytes without a copy.

A value is decoded only once its kind is known, so odd members of an answer read as absent, and never raise. An absent
member is the empty view, `ABSENT`.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw

ABSENT: Final = Raw(b"")
MAX_ITEMS: Final = 4096
"""Objects of one array that are looked at: a bound on time. OpenAI gives at most 128 choices."""

# A Raw equals other Raws only, never bytes.
_NULL: Final = Raw(b"null")
_QUOTE, _BRACKET, _BRACE = b'"[{'
_NUMBER: Final = frozenset(b"-0123456789")
_STRING = msgspec.json.Decoder(str)
_ARRAY = msgspec.json.Decoder(list[Raw])


def is_array(raw: Raw) -> bool:
    """Whether the value is a JSON array."""
    return len(raw) > 0 and memoryview(raw)[0] == _BRACKET


def is_object(raw: Raw) -> bool:
    """Whether the value is a JSON object."""
    return len(raw) > 0 and memoryview(raw)[0] == _BRACE


def is_present(raw: Raw) -> bool:
    """Whether the member is there and not null."""
    return len(raw) > 0 and raw != _NULL


def number(raw: Raw) -> float | None:
    """What a number says, infinite where it is too large; None for any other value."""
    return float(bytes(raw)) if len(raw) > 0 and memoryview(raw)[0] in _NUMBER else None


def string(raw: Raw) -> str:
    """The text of a string; empty for any other value.

    Raises:
        UnicodeDecodeError: it is not UTF-8, which msgspec checks only in what it decodes.
    """
    return _STRING.decode(raw) if len(raw) > 0 and memoryview(raw)[0] == _QUOTE else ""


def items(raw: Raw) -> list[Raw]:
    """The elements of an array; none for any other value."""
    return _ARRAY.decode(raw) if is_array(raw) else []


def objects(raw: Raw) -> list[Raw]:
    """Those of an array's first `MAX_ITEMS` elements that are objects; none for any other value."""
    return [item for item in items(raw)[:MAX_ITEMS] if is_object(item)]
