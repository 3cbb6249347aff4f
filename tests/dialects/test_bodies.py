from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.dialects import decode
from extproc_router.dialects.bodies import MAX_MEMBERS
from extproc_router.errors import UnreadableBody

TEXT = b'{"model":"m","prompt":"' + b"word " * 50_000 + b'"}'
LIMIT = len(TEXT)


def raw_deflate(data: bytes, level: int = 6) -> bytes:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -15)
    return deflater.compress(data) + deflater.flush()


CODED = {"gzip": gzip.compress(TEXT, mtime=0), "deflate": zlib.compress(TEXT), "raw": raw_deflate(TEXT)}


def header(coding: str) -> str:
    return "deflate" if coding == "raw" else coding


@pytest.mark.parametrize("encoding", ["", " ", "identity", "Identity", "identity, identity", ","])
def test_nothing_to_undo_gives_the_same_object(encoding: str) -> None:
    assert decode(TEXT, encoding, LIMIT) is TEXT
    with pytest.raises(UnreadableBody, match="longer than"):
        decode(TEXT, encoding, LIMIT - 1)


@pytest.mark.parametrize(
    ("encoding", "coding"),
    [
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        (" gzip ,identity", "gzip"),
        ("deflate", "deflate"),
        ("deflate", "raw"),
        ("Deflate", "raw"),
    ],
)
def test_undone_up_to_the_limit(encoding: str, coding: str) -> None:
    assert decode(CODED[coding], encoding, LIMIT) == TEXT
    with pytest.raises(UnreadableBody, match="inflates to more than"):
        decode(CODED[coding], encoding, LIMIT - 1)


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "compress", "aes128gcm", "gzip2", "gzip;q=1", "gzip, gzip", "gzip,br"]
)
def test_other_codings(encoding: str) -> None:
    with pytest.raises(UnreadableBody, match="content coding"):
        decode(CODED["gzip"], encoding, LIMIT)


@pytest.mark.parametrize("coding", CODED)
def test_every_truncation(coding: str) -> None:
    body = CODED[coding]
    for length in range(len(body)):
        with pytest.raises(UnreadableBody):
            decode(body[:length], header(coding), LIMIT)


@pytest.mark.parametrize("coding", CODED)
@pytest.mark.parametrize("junk", [b"\x00", b"x", b"\x1f\x8b", b"{}" * 100_000])
def test_trailing_junk(coding: str, junk: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode(CODED[coding] + junk, header(coding), LIMIT)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_damage(coding: str) -> None:
    body = bytearray(CODED[coding])
    body[len(body) // 2] ^= 0xFF
    with pytest.raises(UnreadableBody):
        decode(bytes(body), coding, LIMIT)


def test_members_are_joined() -> None:
    half = len(TEXT) // 2
    body = gzip.compress(TEXT[:half]) + gzip.compress(b"") + gzip.compress(TEXT[half:])
    assert decode(body, "gzip", LIMIT) == TEXT
    with pytest.raises(UnreadableBody, match="inflates to more than"):
        decode(body, "gzip", LIMIT - 1)


def test_members_are_bounded() -> None:
    empty = gzip.compress(b"")
    assert decode(empty * MAX_MEMBERS, "gzip", 0) == b""
    with pytest.raises(UnreadableBody, match="more than 1000 gzip members"):
        decode(empty * (MAX_MEMBERS + 1), "gzip", 0)


def test_a_bomb_is_never_inflated() -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000)
    with pytest.raises(UnreadableBody, match="inflates to more than 1000 bytes"):
        decode(bomb, "gzip", 1_000)


@pytest.mark.parametrize("level", range(10))
def test_bare_deflate_at_every_level(level: int) -> None:
    for data in (TEXT, b"", b"x", bytes(range(256)) * 300):
        assert decode(raw_deflate(data, level), "deflate", LIMIT) == data
        assert decode(zlib.compress(data, level), "deflate", LIMIT) == data


@given(body=st.binary(max_size=64), encoding=st.sampled_from(["gzip", "deflate"]))
def test_any_bytes(body: bytes, encoding: str) -> None:
    try:
        data = decode(body, encoding, 100)
    except UnreadableBody:
        return
    assert len(data) <= 100


@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4), spare=st.integers(-1, 1))
def test_round_trip_at_the_limit(parts: list[bytes], spare: int) -> None:
    data = b"".join(parts)
    body = b"".join(map(gzip.compress, parts))
    limit = len(data) + spare
    if spare >= 0:
        assert decode(body, "gzip", limit) == data
    elif limit >= 0:
        with pytest.raises(UnreadableBody):
            decode(body, "gzip", limit)
