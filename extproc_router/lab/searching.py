"""Looks for words in everything that processes wrote: as they are, and as encodings would spell them."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

MARKER = "qzvmarkt7d1f0c9e"
"""A word that prompts of tests carry, and that nothing else may write."""

_COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")  # gzip, zlib
_ESCAPED = re.compile(rb"\\u00([0-9a-fA-F]{2})|\\x([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})|\\([0-3][0-7]{2})")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_MAX_INFLATED = 64 * 1024 * 1024
_MAX_DEPTH = 3


class Finding(Struct, frozen=True):
    """A word was found where it should not be; `around` shows its surroundings."""

    place: str
    word: str
    around: str


class Searcher:
    """Finds words: plain, in any case, escaped as in JSON, C or URLs, in UTF-16, hex, base64, and within gzip and zlib.

    What is compressed is found within hex and base64, too. Deflate without a header is not: nothing tells it.

    Args:
        words: ASCII, 8 characters or more.
    """

    def __init__(self, words: Iterable[str]) -> None:
        folded: list[tuple[bytes, str]] = []
        exact: list[tuple[bytes, str]] = []
        for word in words:
            raw = word.lower().encode()
            upper = word.upper().encode()
            folded += [(needle, word) for needle in (raw, raw.hex().encode(), raw.decode().encode("utf-16-le"))]
            folded += [(needle, word) for needle in (word.encode().hex().encode(), upper.hex().encode())]
            exact += [(needle, word) for needle in _base64(word.encode())]
        self._folded, self._exact = _Needles(folded), _Needles(exact)

    def files(self, *roots: Path) -> list[Finding]:
        """Search the names and contents of all files below some directories; sockets and pipes are left out."""
        paths = sorted(path for root in roots for path in root.rglob("*"))
        found = [finding for path in paths for finding in self.bytes(str(path), str(path).encode())]
        return found + [
            finding for path in paths if path.is_file() for finding in self.bytes(str(path), path.read_bytes())
        ]

    def bytes(self, place: str, data: bytes) -> list[Finding]:
        """Search bytes, which findings call `place`; each word is found once."""
        found: dict[str, Finding] = {}
        for view in _views(data, _MAX_DEPTH):
            for word, at in (*self._folded.find(view.lower()), *self._exact.find(view)):
                around = view[max(0, at - 80) : at + 120].decode("ascii", "backslashreplace")
                found.setdefault(word, Finding(place, word, around))
        return list(found.values())


class _Needles:
    """Spellings, and the words that they spell."""

    def __init__(self, spelt: Sequence[tuple[bytes, str]]) -> None:
        self._words = [word for _, word in spelt]
        self._automaton = BytesAhoCorasick([needle for needle, _ in spelt])

    def find(self, data: bytes) -> Iterator[tuple[str, int]]:
        for needle, start, _ in self._automaton.find_matches_as_indexes(data, overlapping=True):
            yield self._words[needle], start


def _base64(raw: bytes) -> Iterator[bytes]:
    """Yield what is in every base64 text that holds the bytes, at each of three offsets, in both alphabets."""
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw)
        # The first and last characters depend on the neighbours, too.
        sure = whole[-(-offset * 4 // 3) : len(whole) - 4 if (offset + len(raw)) % 3 else len(whole)]
        yield sure
        yield sure.translate(bytes.maketrans(b"+/", b"-_"))


def _views(data: bytes, depth: int) -> Iterator[bytes]:
    """Yield the bytes, with escapes undone, and what is compressed in them."""
    yield data
    if not depth:
        return
    if _ESCAPED.search(data):
        yield from _views(_ESCAPED.sub(_unescaped, data), depth - 1)
    # Of all that is spelt in hex or base64 one view each: there may be many.
    for inner in (b"\n".join(_unhexed(data)), b"\n".join(_debased(data))):
        if inner:
            yield from _views(inner, depth - 1)
    for match in _COMPRESSED.finditer(data):
        inflated = _inflated(memoryview(data)[match.start() :])
        if inflated:
            yield from _views(inflated, depth - 1)


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal = match[4]
    return bytes([int(octal, 8) if octal else int(match[1] or match[2] or match[3], 16)])


def _unhexed(data: bytes) -> Iterator[bytes]:
    for match in _HEX.finditer(data):
        yield binascii.unhexlify(match[0])


def _debased(data: bytes) -> Iterator[bytes]:
    for match in _BASE64.finditer(data):
        digits = match[0].translate(_STANDARD)
        whole = digits if len(digits) % 4 != 1 else digits[:-1]  # no text ends so: the last one is something else
        yield binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _inflated(data: memoryview) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(data, _MAX_INFLATED)  # 47: either header
    except zlib.error:
        return b""
