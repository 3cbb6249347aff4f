"""A text as the finders of personal data see it: one byte a character, so that offsets are the text's own.

Whatever is found is blanked out before the next finder looks, and placeholders of an earlier redaction are blank from
the start: so what a finder sees of a redacted text is what it saw of the original, and redacting twice changes nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from extproc_router.signals.pii_types import blank_placeholders

if TYPE_CHECKING:
    from collections.abc import Iterable

BLANK = b"\x00"
"""In place of what was found: no pattern matches it, nor across it."""

# How people, keyboards and word processors write what the patterns know in ASCII.
_ALIKE = (
    *((sign, " ") for sign in "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"),
    *((sign, "-") for sign in "\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"),
    *((chr(0xFF10 + digit), str(digit)) for digit in range(10)),
    *zip("\uff20\uff0e\uff1a\uff0b", "@.:+", strict=True),
)
# Of a JSON text within a string: a backslash and the letter after it belong together, and to no word.
_ESCAPE = re.compile(r'\\+(?:u[0-9a-fA-F]{4}|["/bfnrt])?')
_WORD = frozenset(byte for byte in range(256) if chr(byte).isalnum() or chr(byte) == "_")


def legible(text: str) -> str:
    """Return the text, as long as before, with NULs for placeholders and blanks for the escapes of JSON within it."""
    text = blank_placeholders(text)
    return _ESCAPE.sub(lambda match: " " * len(match[0]), text) if "\\" in text else text


def page_of(text: str) -> bytes:
    """Return one byte a character: Latin-1, `?` for what that cannot write, lone surrogates included."""
    text = legible(text)
    if not text.isascii():
        for sign, plain in _ALIKE:
            if sign in text:
                text = text.replace(sign, plain)
    return text.encode("latin-1", "replace")


def blank(page: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """Return the page with those characters blanked out."""
    copy = bytearray(page)
    for start, end in spans:
        copy[start:end] = BLANK * (end - start)
    return bytes(copy)


def is_word(page: bytes, place: int) -> bool:
    """Whether there is a letter, a digit or an underscore at a place, which may lie outside."""
    return 0 <= place < len(page) and page[place] in _WORD


def is_alone(page: bytes, start: int, end: int, *, joints: bytes = b".,") -> bool:
    """Whether a number at [start, end) is no part of a word or, over a joint such as a point, of a longer number."""
    if is_word(page, start - 1) or is_word(page, end):
        return False
    before, after = page[max(start - 2, 0) : start], page[end : end + 2]
    return not (
        (before[-1:] and before[-1:] in joints and before[:-1].isdigit())
        or (after[:1] and after[:1] in joints and after[1:].isdigit())
    )
