"""Content codings of request bodies, undone within bounds: a kilobyte of gzip can hold a megabyte."""

from __future__ import annotations

import zlib
from typing import Final

from extproc_router.errors import UnreadableBody

MAX_MEMBERS: Final = 1_000
"""Members in one gzip body; each costs an inflater, and an empty one is 20 bytes long."""

_CHUNK: Final = 65_536
# zlib's wbits: https://zlib.net/manual.html#Advanced
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15
_DEFLATE_METHOD: Final = 8


def decode(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Undo a content coding.

    Args:
        body: as sent.
        content_encoding: the header's value; empty where it is absent. One of gzip and deflate (zlib's, as RFC 9110
            says, or bare, as some clients send it) may stand beside any number of `identity`.
        limit: of the result, in bytes, at least 0. No more than this is ever inflated.

    Returns:
        `body` itself where there is nothing to undo.

    Raises:
        UnreadableBody: the coding is not one of these, the data are damaged, or they are longer than `limit`.
    """
    codings = [coding for coding in map(_normal, content_encoding.split(",")) if coding not in {"", "identity"}]
    if not codings:
        if len(body) > limit:
            raise UnreadableBody(f"the body is longer than {limit} bytes")
        return body
    if len(codings) > 1:
        raise UnreadableBody("more than one content coding")
    match codings[0]:
        case "gzip" | "x-gzip":
            return _gunzip(body, limit)
        case "deflate":
            return _inflate_deflate(body, limit)
        case _:
            raise UnreadableBody("unsupported content coding")


def _normal(coding: str) -> str:
    return coding.strip(" \t").lower()


def _gunzip(body: bytes, limit: int) -> bytes:
    pieces: list[bytes] = []
    position = inflated = 0
    for _ in range(MAX_MEMBERS):
        piece, position = _inflate(body, position, _GZIP, limit - inflated)
        pieces.append(piece)
        inflated += len(piece)
        if position == len(body):
            return b"".join(pieces)
    raise UnreadableBody(f"more than {MAX_MEMBERS} gzip members")


def _inflate_deflate(body: bytes, limit: int) -> bytes:
    data, end = _inflate(body, 0, _ZLIB if _has_zlib_header(body) else _RAW_DEFLATE, limit)
    if end != len(body):
        raise UnreadableBody("junk after the deflate data")
    return data


def _has_zlib_header(body: bytes) -> bool:
    """RFC 1950, section 2.2; to a bare stream it would be a stored block with padding other than zero, never seen."""
    header = int.from_bytes(body[:2])
    return len(body) > 1 and (header >> 8) & 0xF == _DEFLATE_METHOD and header % 31 == 0


def _inflate(body: bytes, position: int, wbits: int, limit: int) -> tuple[bytes, int]:
    """One compressed stream from `position`: its data and where it ends."""
    inflater = zlib.decompressobj(wbits)
    pieces: list[bytes] = []
    room = limit
    while not inflater.eof:
        # In chunks, for zlib copies what it did not use: many members would cost their number times the body.
        chunk = body[position : position + _CHUNK]
        if not chunk:
            raise UnreadableBody("the compressed data end too early")
        try:
            piece = inflater.decompress(chunk, room + 1)
        except zlib.error as error:
            raise UnreadableBody("damaged compressed data") from error
        room -= len(piece)
        if room < 0:
            raise UnreadableBody(f"the body inflates to more than {limit} bytes")
        pieces.append(piece)
        position += len(chunk) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
    return b"".join(pieces), position
