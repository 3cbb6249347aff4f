from __future__ import annotations

import io
import os

from hypothesis import given
from hypothesis import strategies as st

from extproc_router.bulk import lines


class Dribble(io.BytesIO):
    """Gives one to three bytes at a time, as a terminal or a slow pipe may."""

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(1 + self.tell() % 3)


def read(stream: io.BytesIO, most: int = 100) -> list[tuple[int, bytes | None]]:
    return list(lines.read(stream, lambda: None, most=most))


def test_lines_have_their_numbers_and_blank_ones_none() -> None:
    assert read(io.BytesIO(b"\xef\xbb\xbfa\n\n  \r\nb \r\nc")) == [(1, b"a"), (4, b"b"), (5, b"c")]
    assert read(io.BytesIO(b"")) == []


def test_a_line_that_is_too_long_is_told_and_passed() -> None:
    text = b"a\n" + b"x" * 101 + b"\n" + b"y" * 100 + b"\n" + b"z" * 300_000 + b"\nb\n" + b"w" * 200_000
    assert read(io.BytesIO(text)) == [(1, b"a"), (2, None), (3, b"y" * 100), (4, None), (5, b"b"), (6, None)]
    assert read(Dribble(text[:120])) == [(1, b"a"), (2, None), (3, b"y" * 16)]


@given(st.binary(max_size=60))
def test_how_it_comes_does_not_matter(text: bytes) -> None:
    assert read(io.BytesIO(text), most=10) == read(Dribble(text), most=10)


def test_a_line_is_given_before_the_next_is_there() -> None:
    """And whoever writes is told before each wait."""
    reader, writer = os.pipe()
    waits = []
    with os.fdopen(reader, "rb") as stream, os.fdopen(writer, "wb", buffering=0) as sink:
        found = lines.read(stream, lambda: waits.append(1))
        sink.write(b"one\n")
        assert next(found) == (1, b"one")
        sink.write(b"two\n")
        assert next(found) == (2, b"two")
        assert len(waits) == 2
