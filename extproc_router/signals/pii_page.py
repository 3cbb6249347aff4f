"""A text as the finders of personal data see it: one byte a character, so that offsets are the text's own.

Signs that are not shown are left out before (`shown`), and offsets led back over them.

Whatever is found is blanked out before the next finder looks, and placeholders of an earlier redaction are blank from
the start: so what a finder sees of a redacted text is what it saw of the original, and redacting twice changes nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.signals.pii_types import blank_placeholders
from extproc_router.signals.texts import UNSEEN, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from extproc_router.types import Span

BLANK = b"\x00"
"""In place of what was found: no pattern matches it, nor across it."""

# How people, keyboards and word processors write what the patterns know in ASCII.
_ALIKE = {
    **{chr(sign): chr(sign - 0xFEE0) for sign in range(0xFF01, 0xFF5F)},  # wide letters, digits and signs
    **{
        chr(zero + digit): str(digit)
        for zero in (0x660, 0x6F0, 0x966, *range(0x1D7CE, 0x1D7FF, 10))
        for digit in range(10)
    },
    **dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    ),
    **dict.fromkeys("\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63", "-"),
}
# Signs that are not shown, also as JSON within a string escapes the usual ones.
_UNSEEN = re.compile(rf"[{UNSEEN}]+|\\+u(?i:00ad|200[b-f]|202[a-e]|206[0-9a-f]|feff)")
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
        for sign in _ALIKE.keys() & set(text):
            text = text.replace(sign, _ALIKE[sign])
    return text.encode("latin-1", "replace")


class Shown(Struct, frozen=True):
    """What of a text is shown.

    Attributes:
        text: without the signs that are not.
        starts: offsets in it at which stretches of the text begin that lie side by side there; the first is 0.
        before: for each, how many characters were left out before it.
    """

    text: str
    starts: tuple[int, ...] = (0,)
    before: tuple[int, ...] = (0,)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Turn characters [start, end), not empty, of what is shown into those of the text."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, at: int) -> int:
        return at + self.before[bisect_right(self.starts, at) - 1]


def shown(text: str) -> Shown:
    """Return what of a text is shown; the text itself where that is all."""
    if "\\u" not in text and len(spellings(text)) == 1:
        return Shown(text)
    parts: list[str] = []
    starts, before = [0], [0]
    reached = 0
    for match in _UNSEEN.finditer(text):
        parts.append(text[reached : match.start()])
        starts.append(starts[-1] + len(parts[-1]))
        before.append(before[-1] + len(match[0]))
        reached = match.end()
    return Shown("".join((*parts, text[reached:])), tuple(starts), tuple(before))


def masked(text: str, spans: Sequence[Span]) -> str:
    """Return the text, as long as before, with NULs in place of spans that do not overlap."""
    parts, reached = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        parts += [text[reached : span.start], "\0" * (span.end - span.start)]
        reached = span.end
    return "".join((*parts, text[reached:])) if spans else text


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
