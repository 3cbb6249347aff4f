from __future__ import annotations

import re

import yaml
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.envoyconf.render import text

WORDS = st.sampled_from(
    ["1", "1.5", "0x1", "yes", "No", "null", "~", "a: b", "a #b", "- a", ".", "a|b", "1e3", ".inf", ""]
)
# YAML knows no others.
LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"))


@given(st.one_of(WORDS, LETTERS))
def test_a_scalar_is_read_as_the_text_that_it_was(value: str) -> None:
    written = text.scalar(value)
    assert written.isascii()
    assert yaml.safe_load(f"a: {written}  # a comment") == {"a": value}
    assert yaml.safe_load(f"{{a: {written}, b: [{written}]}}") == {"a": value, "b": [value]}


def test_plain_names_stay_readable() -> None:
    for name in ("small", "a-b_c.d", "a/b", "/health", "unix.sock"):
        assert text.scalar(name) == name


@given(st.binary())
def test_a_lua_string_says_its_bytes(value: bytes) -> None:
    written = text.lua(value)
    assert written.isascii()
    assert written.isprintable()
    inner = written[1:-1]
    read = re.sub(rb"\\(\d{3})", lambda found: bytes([int(found[1])]), inner.encode())
    assert read == value
    assert '"' not in inner


def test_durations_are_written_as_envoy_reads_them() -> None:
    assert [text.seconds(value) for value in (1.0, 0.5, 10, 0.001, 60.25)] == ["1s", "0.5s", "10s", "0.001s", "60.25s"]


def test_blocks_move_to_the_right() -> None:
    assert text.indented("a\n\n  b\n", 2) == "  a\n\n    b\n"
