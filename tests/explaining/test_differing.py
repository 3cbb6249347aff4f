from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from extproc_router.explaining.differing import cut, difference, lines_of, plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def shown(before: object, after: object, width: int = 60) -> list[str]:
    return list(difference(json.dumps(before).encode(), json.dumps(after).encode(), width))


def test_what_changed_stands_after_a_sign_with_lines_around() -> None:
    assert shown({"a": 1, "model": "auto", "b": 2}, {"a": 1, "model": "large", "b": 2}) == [
        "  {",
        '    "a": 1,',
        '-   "model": "auto",',
        '+   "model": "large",',
        '    "b": 2',
        "  }",
    ]


def test_a_member_that_is_new_stands_after_plus() -> None:
    assert '+   "n": true' in shown({"a": 1}, {"a": 1, "n": True})


def test_a_long_text_shows_where_it_differs() -> None:
    long = "word " * 200
    lines = shown({"t": f"{long}4111 1111 {long}"}, {"t": f"{long}<CARD> {long}"})
    [was] = [line for line in lines if line.startswith("-")]
    [now] = [line for line in lines if line.startswith("+")]
    assert "4111" in was
    assert "<CARD>" in now
    assert all(len(line) <= 60 for line in lines)


def test_much_that_stays_between_two_changes_is_counted() -> None:
    body = {"first": 1, **{f"m{place}": place for place in range(50)}, "last": 1}
    assert "  ... 46 lines that stay" in shown(body, body | {"first": 2, "last": 2})


def test_very_much_that_changed_is_counted() -> None:
    lines = shown(list(range(5000)), [number + 1 for number in range(5000)])
    assert [line for line in lines if line[0] in "-+"] == ["- 5,000 lines", "+ 5,000 lines"]


def test_what_is_no_json_is_shown_as_it_is() -> None:
    assert lines_of(b"data: x\n\ndata: \xff") == ["data: x", "", "data: \ufffd"]
    assert len(lines_of(b"[" * 100_000)) == 1


def test_nothing_that_a_terminal_obeys_comes_through() -> None:
    assert plain("a\x1b[31m\u202e\ud800b") == "a\\x1b[31m\\u202e\\ud800b"
    assert cut("abcdef", 5) == "ab..."


@given(VALUES, VALUES)
def test_it_says_nothing_only_where_nothing_changed(before: object, after: object) -> None:
    lines = shown(before, after, 40)
    assert (lines == []) == (lines_of(json.dumps(before).encode()) == lines_of(json.dumps(after).encode()))
    assert all(len(line) <= 40 and line.isprintable() for line in lines)
    assert not lines or any(line[0] in "-+" for line in lines)
