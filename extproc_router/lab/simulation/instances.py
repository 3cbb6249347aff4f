"""The plainest JSON value that a JSON Schema allows, as far as its common words are known."""

from __future__ import annotations

from typing import Any

from extproc_router.lab.simulation.asked import elements, member

MAX_DEPTH = 16
MAX_VALUES = 1000
MAX_LENGTH = 64


def instance(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """A value of `schema`; what has no known word gives an object.

    It has at most `MAX_VALUES` values, `MAX_DEPTH` deep, and null beyond them: schemas that hold themselves end.
    """
    return _Maker(schema).make(schema, 0)


class _Maker:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._left = MAX_VALUES

    def make(self, schema: dict[str, Any], depth: int) -> Any:  # noqa: ANN401 - any JSON
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            return None
        for name in ("const", "default"):
            if name in schema:
                return schema[name]
        if choices := elements(schema, "enum"):
            return choices[0]
        if isinstance(reference := schema.get("$ref"), str):
            return self.make(self._resolved(reference), depth + 1)
        for name in ("anyOf", "oneOf", "allOf"):
            if (options := elements(schema, name)) and isinstance(options[0], dict):
                return self.make(options[0], depth + 1)
        return self._typed(schema, depth)

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:  # noqa: ANN401 - any JSON
        wanted = schema.get("type")
        match wanted[0] if isinstance(wanted, list) and wanted else wanted:
            case "string":
                return "a" * _length(schema, "minLength")
            case "integer" | "number":
                least = schema.get("minimum")
                return least if isinstance(least, int | float) else 1
            case "boolean":
                return True
            case "null":
                return None
            case "array":
                items = member(schema, "items")
                return [self.make(items, depth + 1) for _ in range(_length(schema, "minItems"))]
            case _:
                properties = member(schema, "properties")
                return {name: self.make(member(properties, name), depth + 1) for name in properties}

    def _resolved(self, reference: str) -> dict[str, Any]:
        found = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            found = member(found, part) if part else found
        return found


def _length(schema: dict[str, Any], name: str) -> int:
    value = schema.get(name)
    return min(max(1, value), MAX_LENGTH) if isinstance(value, int) else 1
