from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.lab.simulation.instances import MAX_VALUES, instance

SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "string", "minLength": 3},
    {"type": ["integer", "null"], "minimum": 7},
    {"type": "boolean"},
    {"type": "null"},
    {"const": 5},
    {"enum": ["a", "b"]},
    {"anyOf": [{"type": "string"}, {"type": "null"}]},
    {"type": "array", "items": {"$ref": "#/$defs/x"}, "minItems": 2, "$defs": {"x": {"type": "number"}}},
    {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "object", "properties": {"c": {"enum": [1]}}}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_instances_are_valid(schema: dict[str, Any]) -> None:
    jsonschema.validate(instance(schema), schema)


def test_schemas_that_hold_themselves_end() -> None:
    child = {"$ref": "#"}
    wide = {"type": "object", "properties": {str(number): child for number in range(10)}}
    assert len(json.dumps(instance(wide))) < 100 * MAX_VALUES
    assert instance({"$ref": "#"}) is None


@given(
    st.recursive(
        st.none() | st.integers() | st.sampled_from(["string", "array", "#", "#/items"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "items", "properties", "anyOf", "enum", "$ref", "minItems"]), inner
            )
        ),
        max_leaves=8,
    )
)
def test_no_schema_breaks_it(schema: Any) -> None:
    json.dumps(instance(schema if isinstance(schema, dict) else {"items": schema}))
