from __future__ import annotations

import math

import pytest
from msgspec import Raw
from msgspec import json as msgspec_json

from extproc_router import json_views
from extproc_router.json_views import locate

VALUES = [b"", b'"a\\u0062"', b"[1, 2]", b'{"a": 1}', b"null", b"true", b"false", b"-1e999"]


@pytest.mark.parametrize("value", VALUES)
def test_kinds_exclude_each_other(value: bytes) -> None:
    view = Raw(value)
    assert json_views.is_string(view) == value.startswith(b'"')
    assert json_views.is_array(view) == value.startswith(b"[")
    assert json_views.is_object(view) == value.startswith(b"{")
    assert json_views.is_true(view) == (value == b"true")
    assert json_views.is_present(view) == (value not in {b"", b"null"})


@pytest.mark.parametrize("value", VALUES)
def test_only_strings_are_strings(value: bytes) -> None:
    assert json_views.string(Raw(value)) == ("ab" if value.startswith(b'"') else "")


@pytest.mark.parametrize("value", VALUES)
def test_only_arrays_have_items(value: bytes) -> None:
    assert json_views.items(Raw(value)) == ([Raw(b"1"), Raw(b"2")] if value.startswith(b"[") else [])


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"", ""), (b"null", ""), (b'"a\\u0062"', "ab"), (b'{"a": 1.50}', '{"a": 1.50}'), (b"-1e999", "-1e999")],
)
def test_text_is_json_where_it_is_no_string(value: bytes, text: str) -> None:
    assert json_views.text(Raw(value)) == text


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
    assert json_views.number(Raw(value)) == number
    assert json_views.whole(Raw(value)) == whole


@pytest.mark.parametrize("value", VALUES)
def test_only_false_is_false(value: bytes) -> None:
    assert json_views.is_false(Raw(value)) == (value == b"false")


def test_no_array_costs_more_than_its_bound() -> None:
    assert json_views.objects(Raw(b'[{}, 2, "a", {"b": 1}]')) == [Raw(b"{}"), Raw(b'{"b": 1}')]
    long = Raw(b"[" + b"{}," * json_views.MAX_ITEMS + b"{}]")
    assert len(json_views.objects(long)) == json_views.MAX_ITEMS


def test_views_are_located() -> None:
    body = b' {"a": [1, {"b" : "x"}]}'
    outer = msgspec_json.decode(body, type=dict[str, Raw])["a"]
    assert locate(body, outer) == (7, 23)
    inner = msgspec_json.Decoder(list[Raw]).decode(outer)[1]
    assert body[slice(*locate(body, inner))] == b'{"b" : "x"}'
    innermost = msgspec_json.Decoder(dict[str, Raw]).decode(inner)["b"]
    assert locate(body, innermost) == (body.index(b'"x"'), body.index(b'"x"') + 3)


def test_a_view_of_other_bytes_is_not_located() -> None:
    other = msgspec_json.decode(b'{"a":"old"}', type=dict[str, Raw])["a"]
    with pytest.raises(AssertionError):
        locate(b'{"a":"new"}', other)
