from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.dialects import Edit, apply


def member(at: int, text: bytes) -> Edit:
    return Edit(at, at, text, element=True)


def test_without_edits_the_body_is_the_same_object() -> None:
    body = b'{"a":1}'
    assert apply(body, ()) is body


@pytest.mark.parametrize(
    ("body", "after"),
    [
        (b"{}", b'{"x":1,"y":2}'),
        (b"{ \r\n\t}", b'{"x":1,"y":2 \r\n\t}'),
        (b'{ "a":0}', b'{"x":1,"y":2, "a":0}'),
    ],
)
def test_members_keep_their_order_and_get_their_commas(body: bytes, after: bytes) -> None:
    assert apply(body, [member(1, b'"x":1'), member(1, b'"y":2')]) == after


def test_elements_of_arrays_too() -> None:
    assert apply(b"[]", [member(1, b"1")]) == b"[1]"
    assert apply(b"[ 2 ]", [member(1, b"1")]) == b"[1, 2 ]"


def test_members_of_nested_objects() -> None:
    edits = [member(6, b'"c":1'), member(1, b'"x":1'), member(1, b'"y":{}')]
    assert apply(b'{"a":{}}', edits) == b'{"x":1,"y":{},"a":{"c":1}}'


def test_what_goes_in_before_goes_before_what_replaces() -> None:
    body = b'{"a":"secret tail"}'
    edits = [Edit(6, 12, b"<X>"), Edit(6, 6, b"one "), Edit(6, 6, b"two ")]
    assert apply(body, edits) == b'{"a":"one two <X> tail"}'


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([Edit(0, 4, b"A"), Edit(2, 6, b"B")], b"A6789"),
        ([Edit(2, 6, b"B"), Edit(0, 4, b"A")], b"A6789"),
        ([Edit(0, 8, b"A"), Edit(2, 4, b"B"), Edit(8, 9, b"C")], b"AC9"),
        ([Edit(2, 4, b"A"), Edit(2, 6, b"B")], b"01A6789"),
        ([Edit(2, 4, b"A"), Edit(4, 6, b"B")], b"01AB6789"),
    ],
)
def test_what_overlaps_goes_as_one(edits: list[Edit], after: bytes) -> None:
    assert apply(b"0123456789", edits) == after


@given(body=st.binary(max_size=30), data=st.data())
def test_disjoint_edits_are_as_good_as_one_after_the_other(body: bytes, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12, unique=True)))
    pairs = zip(places[::2], places[1::2], strict=False)
    edits = [Edit(start, end, data.draw(st.binary(max_size=4))) for start, end in pairs]
    expected = body
    for edit in reversed(edits):
        expected = expected[: edit.start] + edit.text + expected[edit.end :]
    assert apply(body, data.draw(st.permutations(edits))) == expected


@given(data=st.data(), names=st.lists(st.text(max_size=3), max_size=4))
def test_any_members_go_into_any_object(json_values: Any, data: st.DataObject, names: list[str]) -> None:
    members = data.draw(st.lists(json_values(), max_size=3))
    blank = data.draw(st.sampled_from(["", " ", "\n\t"]))
    body = ("{" + blank + ",".join(f'"k":{value}' for value in members) + blank + "}").encode()
    edits = [member(1, f"{json.dumps(name)}:true".encode()) for name in names]
    expected = [(name, True) for name in names] + json.loads(body, object_pairs_hook=list)
    assert json.loads(apply(body, edits), object_pairs_hook=list) == expected
