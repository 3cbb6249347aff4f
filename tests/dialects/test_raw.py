from __future__ import annotations

import math

import pytest
from msgspec import Raw

from extproc_router.dialects import raw

VALUES = [b"", b'"a\\u0062"', b"[1, 2]", b'{"a": 1}', b"null", b"true", b"false", b"-1e999"]


@pytest.mark.parametrize("value", VALUES)
def test_kinds_exclude_each_other(value: bytes) -> None:
    view = Raw(value)
    assert raw.is_string(view) == value.startswith(b'"')
    assert raw.is_array(view) == value.startswith(b"[")
    assert raw.is_object(view) == value.startswith(b"{")
    assert raw.is_true(view) == (value == b"true")
    assert raw.is_present(view) == (value not in {b"", b"null"})


@pytest.mark.parametrize("value", VALUES)
def test_only_strings_are_strings(value: bytes) -> None:
    assert raw.string(Raw(value)) == ("ab" if value.startswith(b'"') else "")


@pytest.mark.parametrize("value", VALUES)
def test_only_arrays_have_items(value: bytes) -> None:
    assert raw.items(Raw(value)) == ([Raw(b"1"), Raw(b"2")] if value.startswith(b"[") else [])


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"", ""), (b"null", ""), (b'"a\\u0062"', "ab"), (b'{"a": 1.50}', '{"a": 1.50}'), (b"-1e999", "-1e999")],
)
def test_text_is_json_where_it_is_no_string(value: bytes, text: str) -> None:
    assert raw.text(Raw(value)) == text


@pytest.mark.parametrize(
    ("value", "number", "whole"),
    [
        (b"7", 7, 7),
        (b"1e3", 1000, 1000),
        (b"512.0", 512, 512),
        (b"0.5", 0.5, None),
        (b"-1", -1, None),
        (b"-0", 0, None),
        (b"1e999", math.inf, None),
        (b"-1e999", -math.inf, None),
        (b"9" * 400, math.inf, None),
        (b"9007199254740992", 2**53, 2**53),
        (b"9007199254740994", 2**53 + 2, None),
        *[(value, None, None) for value in (b"", b'"7"', b"null", b"true", b"[7]", b"{}")],
    ],
)
def test_numbers_however_they_are_spelled(value: bytes, number: float | None, whole: int | None) -> None:
    assert raw.number(Raw(value)) == number
    assert raw.whole(Raw(value)) == whole


@pytest.mark.parametrize("value", VALUES)
def test_only_false_is_false(value: bytes) -> None:
    assert raw.is_false(Raw(value)) == (value == b"false")
