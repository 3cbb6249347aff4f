"""JSON Schemas that clients wrote, held against answers, in bounded time.

A schema comes from outside, so nothing that it says may cost much: references are followed inside it alone, and never
in a circle; patterns are matched in linear time; and what it comes to once all references are unfolded is counted
first. A schema that is beyond this, or is none, demands nothing but JSON.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NoReturn

import msgspec
from jsonschema_rs import Draft202012Validator, RegexOptions

_LONGEST = 65_536  # characters of a schema
_MOST_NODES = 20_000  # values in a schema, references unfolded
_MOST_WORK = 5_000_000  # nodes x characters of the answer: about 50 ms if the schema is made for it
_PATTERN_BYTES = 100_000  # of a compiled pattern
_COMPILED = 64  # schemas at a time
_LEAST_CHARACTERS = 2048
# They look again at what other keywords have looked at, or move what a reference means.
_REFUSED = frozenset({"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "id",
                      "unevaluatedItems", "unevaluatedProperties"})  # fmt: skip
# Their members' names are the client's, no keywords; and what stands in the second ones is no schema.
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_DATA = frozenset({"enum", "const", "default", "examples"})


def fits(value: object, schema: str, characters: int) -> bool:
    """Whether a value is what a schema demands; True where the schema demands too much to be held against it.

    Args:
        value: the answer, parsed.
        schema: JSON text.
        characters: length of the answer.
    """
    compiled = _compiled(schema) if len(schema) <= _LONGEST else None
    if compiled is None:
        return True
    validator, nodes = compiled
    if nodes * max(characters, _LEAST_CHARACTERS) > _MOST_WORK:
        return True
    try:
        return validator.is_valid(value)
    except ValueError:  # a number, or a depth, that the validator does not take
        return True


@lru_cache(maxsize=_COMPILED)
def _compiled(schema: str) -> tuple[Draft202012Validator, int] | None:
    try:
        root = msgspec.json.decode(schema)
        nodes = _Unfolded(root).count(root)
        validator = Draft202012Validator(
            root,
            pattern_options=RegexOptions(size_limit=_PATTERN_BYTES),
            validate_formats=False,
            retriever=_never,
        )
    # msgspec's and the library's errors are ValueErrors.
    except (ValueError, RecursionError):
        return None
    return validator, nodes


def _never(uri: str) -> NoReturn:  # noqa: ARG001 - as the library calls it
    raise ValueError("references lead nowhere but into the schema itself")


class _Unfolded:
    """Counts the values in a schema, each reference as often as it is used."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._counted: dict[str, int] = {}
        self._open: set[str] = set()

    def count(self, schema: object) -> int:
        """Return how many values a schema comes to.

        Raises:
            ValueError: more than `_MOST_NODES`, a circle, or a keyword whose cost this does not bound.
        """
        if isinstance(schema, list):
            return self._bounded(1 + sum(map(self.count, schema)))
        if not isinstance(schema, dict):
            return 1
        if not _REFUSED.isdisjoint(schema):
            raise ValueError("unbounded")
        total = 1
        for name, part in schema.items():
            if name == "$ref":
                total += self._reference(part)
            elif name in _DATA:
                total += _values(part)
            elif name in _NAMED and isinstance(part, dict):
                # Definitions cost where they are used.
                total += len(part) if name in ("$defs", "definitions") else sum(map(self.count, part.values()))
            else:
                total += self.count(part)
            self._bounded(total)
        return total

    def _reference(self, pointer: object) -> int:
        if not isinstance(pointer, str) or not pointer.startswith("#") or pointer in self._open:
            raise ValueError("unbounded")
        if pointer not in self._counted:
            self._open.add(pointer)
            self._counted[pointer] = self.count(self._at(pointer))
            self._open.remove(pointer)
        return self._counted[pointer]

    def _at(self, pointer: str) -> object:
        """Follow a JSON pointer (RFC 6901) through mappings."""
        place = self._root
        for step in pointer.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(place, dict) or name not in place:
                raise ValueError("unbounded")
            place = place[name]
        return place

    def _bounded(self, nodes: int) -> int:
        if nodes > _MOST_NODES:
            raise ValueError("unbounded")
        return nodes


def _values(data: object) -> int:
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return 1 + sum(map(_values, parts))
