"""The JSON Schema of the written config, by which editors complete and check it while it is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from extproc_router import signals
from extproc_router.config.schema import File
from extproc_router.config.signal_schema import WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterator

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Many validators know no classes of characters but these.
_PORTABLE = {r"\p{Cc}": r"\x00-\x1f\x7f-\x9f", r"\p{Zl}": r"\u2028", r"\p{Zp}": r"\u2029"}


def text() -> str:
    """Return the schema: JSON, draft 2020-12, the same bytes as long as the config may say the same."""
    schema = _tidied(File.model_json_schema())
    definitions = schema["$defs"]
    _name_signals(definitions)
    definitions.update(sorted(definitions.items()))
    schema |= {
        "$schema": DIALECT,
        "title": "extproc-router config",
        "description": "Which model serves which LLM request. `extproc-router check` finds what a schema cannot.",
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _tidied(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Leave out what means nothing to people: titles made of names, and null, which is never written."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    tidied = dict(_members(schema))
    alternatives = tidied.get("anyOf", ())
    if len(alternatives) == 1:
        del tidied["anyOf"]
        return alternatives[0] | tidied
    return tidied


def _members(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if _is_noise(schema, key):
            continue
        if key in ("properties", "$defs"):
            yield key, {name: _tidied(part) for name, part in value.items()}
        elif key == "patternProperties":
            # Names that do not match would be taken for ones of which nothing is known.
            [(pattern, inner)] = value.items()
            yield "additionalProperties", _tidied(inner)
            yield "propertyNames", schema.get("propertyNames", {}) | {"pattern": _portable(pattern)}
        elif key == "pattern":
            yield key, _portable(value)
        elif key in ("default", "examples", "enum", "const", "required"):
            yield key, value
        else:
            yield key, _tidied(value)


def _is_noise(schema: dict[str, Any], key: str) -> bool:
    """Whether a member says what people know: a title made of a name, a default that each of its own members has."""
    if key == "default":
        return schema[key] is None or isinstance(schema[key], dict)
    return key == "title" or (key == "propertyNames" and "patternProperties" in schema)


def _portable(pattern: str) -> str:
    for known, spelt in _PORTABLE.items():
        pattern = pattern.replace(known, spelt)
    return pattern


def _name_signals(definitions: dict[str, Any]) -> None:
    """Name the signals that exist undeclared where conditions are written: editors offer what has a name."""
    when = definitions["When"]
    definitions["Test"] = when["additionalProperties"] | {"description": "What a signal has to say."}
    when["additionalProperties"] = {"$ref": "#/$defs/Test"}
    for kind in signals.BUILT_IN:
        description = WRITTEN[kind].model_fields["kind"].description or WRITTEN[kind].__doc__
        when["properties"][kind] = {"$ref": "#/$defs/Test", "description": description}
