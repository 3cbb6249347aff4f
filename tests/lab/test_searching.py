from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.lab.searching import Searcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORD = "qx7Secret0fTests"


def escaped(text: str) -> bytes:
    return "".join(f"\\u{ord(char):04x}" for char in text).encode()


SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "lower": lambda text: text.lower().encode(),
    "upper": lambda text: text.upper().encode(),
    "json": escaped,
    "half json": lambda text: text[:9].encode() + escaped(text[9:]),
    "json in json": lambda text: json.dumps(escaped(text).decode()).encode().replace(b"\\\\", b"\\"),
    "repr": lambda text: "".join(f"\\x{ord(char):02x}" for char in text).encode(),
    "url": lambda text: "".join(f"%{ord(char):02X}" for char in text).encode(),
    "quoted": lambda text: quote(f" {text} ").encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip of base64": lambda text: gzip.compress(base64.b64encode(text.encode())),
    "zlib": lambda text: zlib.compress(text.encode()),
    "zlib, stored": lambda text: zlib.compress(text.encode(), 0),
    "octal": lambda text: "".join(f"\\{ord(char):03o}" for char in text).encode(),
    "base64 of gzip": lambda text: base64.b64encode(gzip.compress(text.encode())),
    "URL-safe base64 of zlib": lambda text: base64.urlsafe_b64encode(zlib.compress(text.encode())).rstrip(b"="),
    "hex of gzip": lambda text: gzip.compress(text.encode()).hex().encode(),
    "hex of zlib": lambda text: zlib.compress(text.encode()).hex().upper().encode(),
    "junk, then gzip": lambda text: b"\x1f\x8b\x08junk" + gzip.compress(text.encode()),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_word_is_found_in_any_spelling(spell: Callable[[str], bytes]) -> None:
    [finding] = Searcher([WORD, "another-word"]).bytes("here", b"\x00before " + spell(WORD) + b" after\xff")

    assert (finding.place, finding.word) == ("here", WORD)
    assert Searcher([WORD]).bytes("here", b"before " + spell("somethingelse000") + b" after") == []


@given(st.binary(max_size=7), st.binary(max_size=7), st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))
def test_base64_is_found_at_every_offset(before: bytes, after: bytes, encode: Callable[[bytes], bytes]) -> None:
    assert Searcher([WORD]).bytes("here", encode(before + WORD.encode() + after))


@given(st.binary(max_size=200))
def test_anything_can_be_searched(data: bytes) -> None:
    assert Searcher([WORD]).bytes("here", data) == []


def test_names_and_contents_of_files_are_searched(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / WORD).write_bytes(b"nothing")
    (tmp_path / "a" / "log").write_bytes(b"x" * 1000 + WORD.encode() + b"y" * 1000)

    found = Searcher([WORD]).files(tmp_path)

    assert [finding.place for finding in found] == [str(tmp_path / "a" / WORD), str(tmp_path / "a" / "log")]
    assert len(found[1].around) == 200
