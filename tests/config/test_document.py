from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.config import document
from extproc_router.errors import ConfigError
from extproc_router.types import Mistake


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("- a\n- b\n", 1, "expected a mapping"),
        ("just words\n", 1, "expected a mapping"),
        ("a: 1\nb: [1, 2\n", 3, "did not find expected"),
        ("a: 1\n\tb: 2\n", 2, "a tab: YAML is indented by spaces"),
        (b"a: 1\nb: \xff\n", 2, "not UTF-8"),
        (b"\xff\xfea\x00", 1, "UTF-16"),
        ("a: \ud800\n", 1, "not UTF-8"),
        ("a: &x [1]\nb: *x\n", 1, "anchors"),
        ("a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", 1, "anchors"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "tags are not supported"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("? [a, b]\n: 1\n", 1, "plain word"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", 1, "nested deeper than 32"),
        ("a: " + "{b: " * 40 + "1" + "}" * 40 + "\n", 1, "nested deeper than 32"),
        ("a: 1\n\x00\n", 2, "the character U+0000"),
        ("a: 1\nb: {<<: {c: 1}}\n", 2, "merge keys"),
        ("<<: {a: 1}\n", 1, "merge keys"),
        ("a: 'b\nc: 1\n", 1, "a quote that is opened here"),
        ("a: 1\nb: [1,\nc: 1\n", 4, "the bracket that opens on line 2"),
        ("a: @b\n", 1, "put text with '@' in quotes"),
        ("a: b: c\n", 1, "text with a colon"),
    ],
)
def test_what_is_no_plain_yaml_mapping_is_refused_at_its_line(text: str | bytes, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        document.parse(text, "r.yaml")
    first = caught.value.mistakes[0]
    assert says in first.message
    assert (first.file, first.line) == ("r.yaml", line)


def test_an_enormous_file_is_refused_unread() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        document.parse(b"#" * (document.MAX_BYTES + 1), "r.yaml")


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert document.parse(b"\xef\xbb\xbfa: 1\n", "r.yaml").data == {"a": 1}


def test_duplicate_keys_are_all_found_and_leave_the_rest_readable() -> None:
    parsed = document.parse("a: 1\nb: {c: 1, c: 2}\na: 3\n", "r.yaml")
    assert [(m.line, m.field, m.message) for m in parsed.mistakes] == [
        (2, "b.c", "duplicate key; first on line 2"),
        (3, "a", "duplicate key; first on line 1"),
    ]
    assert parsed.data == {"a": 3, "b": {"c": 2}}


def test_every_value_has_its_line() -> None:
    parsed = document.parse("a: 1\nb:\n  - c: 2\n  - d: 3\n", "r.yaml")
    assert parsed.mistake(("b", 1, "d"), "x").line == 4
    assert parsed.mistake(("b", 1, "absent"), "x").line == 4
    assert parsed.mistake(("absent",), "x").line == 1


def test_a_key_that_would_steer_a_terminal_is_printed_escaped() -> None:
    parsed = document.parse('a: {"\\e[2J": 1}\n', "r.yaml")
    assert parsed.mistake(("a", "\x1b[2J"), "x").field == "a.'\\x1b[2J'"
    assert parsed.mistake(("a", "\x1b[2J"), "x").line == 1


def test_keys_are_text_as_it_stands_there() -> None:
    parsed = document.parse("on: 1\n1: {0x10: 2, ~: 3}\n2026-01-01: 4\n", "r.yaml")
    assert parsed.data == {"on": 1, "1": {"0x10": 2, "~": 3}, "2026-01-01": 4}
    assert parsed.mistake(("1", "0x10"), "x").line == 2


@pytest.mark.parametrize("value", ["2026-99-99", "=", "1:" * 300 + "1.5", "9" * 5000])
def test_what_only_looks_like_a_value_is_told_at_its_line_and_stays_text(value: str) -> None:
    parsed = document.parse(f"a: 1\nb: [{value}]\n", "r.yaml")
    [mistake] = parsed.mistakes
    assert (mistake.line, mistake.field) == (2, "b.0")
    assert "put it in quotes" in mistake.message
    assert parsed.data == {"a": 1, "b": [value]}


def test_mistakes_come_in_file_order_once_and_bounded() -> None:
    mistakes = [Mistake("f", 200 - number // 2, "a", "x") for number in range(300)]
    ordered = document.in_file_order(mistakes)
    assert [mistake.line for mistake in ordered] == list(range(51, 151))


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_anything_else_is_parsed_or_refused(text: str | bytes) -> None:
    try:
        parsed = document.parse(text, "r.yaml")
    except ConfigError as error:
        assert all(mistake.line >= 1 for mistake in error.mistakes)
    else:
        assert isinstance(parsed.data, dict)
