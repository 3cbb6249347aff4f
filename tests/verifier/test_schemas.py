from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.verifier import schemas

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "ids": {"type": "array", "items": {"$ref": "#/$defs/a~1b"}}},
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"a/b": {"type": "integer"}},
}


def fits(value: object, schema: object, characters: int = 100) -> bool:
    return schemas.fits(value, json.dumps(schema), characters)


def test_a_schema_is_held_against_a_value() -> None:
    assert fits({"name": "Ada", "ids": [1, 2]}, PERSON)
    assert not fits({"name": "Ada", "ids": ["1"]}, PERSON)
    assert not fits({"ids": []}, PERSON)
    assert not fits({"name": "Ada", "age": 1}, PERSON)
    assert not fits("ba", {"pattern": "^(a+)+$"})


def test_members_may_be_called_like_keywords() -> None:
    schema = {"properties": {"$id": {"type": "string"}, "id": {"type": "string"}, "$ref": {"type": "string"}}}
    assert fits({"$id": "x", "id": "x", "$ref": "#"}, schema)
    assert not fits({"id": 1}, schema)


def test_data_in_a_schema_is_no_schema() -> None:
    assert not fits({"$ref": "other"}, {"const": {"$ref": "#/nowhere"}, "default": {"$id": 1}})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        [1],
        {"pattern": "(?=a)b"},
        {"pattern": "(a{1000}){1000}"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/hostname"},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "#"},
        {"$ref": 1},
        {"properties": {"next": {"$ref": "#"}}},
        {"$id": "http://127.0.0.1:9/", "type": "number"},
        {"type": "number", "unevaluatedProperties": False},
        {"type": "number", "description": "x" * 70_000},
        {"enum": [2] * 30_000},
    ],
)
def test_one_that_cannot_be_trusted_demands_nothing(schema: object) -> None:
    assert fits("a value", schema)


@pytest.mark.parametrize("text", ["", "{", "[" * 30_000, '"\udcff"', "1e999"])
def test_nor_does_one_that_is_no_json(text: str) -> None:
    assert schemas.fits(1, text, 10)


def test_references_that_multiply_are_counted_first() -> None:
    doubling = {f"a{place}": {"allOf": [{"$ref": f"#/$defs/a{place + 1}"}] * 2} for place in range(60)}
    assert fits("a value", {"$ref": "#/$defs/a0", "$defs": {**doubling, "a60": {"type": "number"}}})


def test_a_few_uses_of_one_definition_are_fine() -> None:
    schema = {"prefixItems": [{"$ref": "#/$defs/n"}] * 20, "$defs": {"n": {"type": "number"}}}
    assert fits([1] * 20, schema)
    assert not fits([1, "2"], schema)


def test_a_large_answer_and_a_large_schema_together_are_too_much() -> None:
    schema = {"allOf": [{"items": {"type": "number"}}] * 500}
    assert not fits(["x"], schema)
    assert fits(["x"], schema, characters=100_000)


def test_numbers_of_any_size_are_taken() -> None:
    assert fits({"a": 10**400, "b": [[[]]]}, {"type": "object"})


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_SCHEMA = st.recursive(
    st.sampled_from([{}, {"type": "string"}, {"$ref": "#/a"}, {"$ref": "#"}, {"pattern": "a"}, True, 1, "x"]),
    lambda inner: st.dictionaries(
        st.sampled_from(["a", "items", "not", "properties", "$defs", "allOf", "if", "then", "enum"]),
        inner | st.lists(inner, max_size=2),
        max_size=3,
    ),
    max_leaves=8,
)


@given(_JSON, _SCHEMA)
def test_whatever_is_asked_has_an_answer(value: object, schema: object) -> None:
    assert isinstance(fits(value, schema), bool)
