from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.dialects import demanded_schema
from extproc_router.dialects.schemas import ANY_OBJECT, MAX_BYTES

SCHEMA = {"type": "object", "properties": {"é": {"type": "number"}}}
NAMED = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
FLAT = {"type": "json_schema", "name": "n", "schema": SCHEMA}


def body(**members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "json_object"}], **members}).encode()


@pytest.mark.parametrize(
    "members",
    [
        {"response_format": NAMED},
        {"text": {"format": FLAT, "verbosity": "low"}},
        {"output_format": FLAT},
        {"output_config": {"format": FLAT}},
        {"guided_json": SCHEMA},
        {"guided_json": json.dumps(SCHEMA)},
        {"structured_outputs": {"json": SCHEMA}},
        {"structured_outputs": {"json": json.dumps(SCHEMA)}},
        {"response_format": {"type": "text"}, "guided_json": SCHEMA},
    ],
)
def test_wherever_it_stands(members: dict[str, Any]) -> None:
    assert json.loads(demanded_schema(body(**members))) == SCHEMA


def test_it_keeps_its_spelling() -> None:
    assert demanded_schema(b'{"guided_json": {"maximum" : 1.50}}') == '{"maximum" : 1.50}'


@pytest.mark.parametrize(
    "members",
    [
        {"response_format": {"type": "json_object"}},
        {"text": {"format": {"type": "json_object"}}},
        {"response_format": {"type": "json_schema"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": None}}},
        {"structured_outputs": {"json_object": True}},
        {"guided_json": "no JSON"},
        {"guided_json": True},
        {"guided_json": {"description": "x" * MAX_BYTES}},
    ],
)
def test_json_of_any_kind(members: dict[str, Any]) -> None:
    assert demanded_schema(body(**members)) == ANY_OBJECT


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"response_format": None, "text": "x", "output_config": [], "structured_outputs": 7, "guided_json": None},
        {"response_format": {"type": "text"}},
        {"text": {"verbosity": "low"}},
        {"structured_outputs": {"regex": "a*", "json_object": False}},
        {"response_format": {"type": 7}},
    ],
)
def test_none_was_asked_for(members: dict[str, Any]) -> None:
    assert demanded_schema(body(**members)) == ""


def test_a_schema_within_a_string_may_be_no_json() -> None:
    assert demanded_schema(body(guided_json='{"title":"\\ud800"}')) == ANY_OBJECT
    assert demanded_schema(body(guided_json="[" * 5000)) == ANY_OBJECT


@given(data=st.data())
def test_whatever_is_written_it_is_bounded_and_json(json_values: Any, data: st.DataObject) -> None:
    names = ["response_format", "text", "guided_json", "structured_outputs", "output_config", "output_format"]
    inner = st.sampled_from(["type", "json_schema", "schema", "format", "json", "json_object"]).map(json.dumps)
    kinds = st.sampled_from(['"json_schema"', '"json_object"', '"{}"', '"{"'])
    members = [f'"{name}":{data.draw(json_values(kinds, inner))}' for name in names]
    found = demanded_schema(("{" + ",".join(members) + "}").encode())
    assert len(found.encode()) <= MAX_BYTES
    assert found == "" or isinstance(json.loads(found), dict)
