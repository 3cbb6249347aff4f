"""What a message of a bootstrap file says, read once: names as the proto spells them -> values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from msgspec import Struct

from extproc_router.envoyconf.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TYPE = "@type"


class Known(Struct, frozen=True):
    """The fields of one of Envoy's messages.

    Attributes:
        read: what the proof looks at.
        harmless: what cannot change which servers a request reaches, nor who reads it.
        refused: what can, and is not looked at. Whatever else a message says is refused, too.
    """

    read: frozenset[str]
    harmless: frozenset[str]
    refused: frozenset[str] = frozenset()


def members(place: Place) -> dict[str, Place]:
    """Return what a message says. Nulls and empty lists, which are the same as nothing, are left out.

    A name that is written in both of its spellings comes back under a name that no message has.
    """
    found: dict[str, Place] = {}
    if not isinstance(place.node, yaml.MappingNode) or not isinstance(place.value, dict):
        return found
    for key, node in place.node.value:
        value = place.value.get(key.value)
        if value is None or value == []:
            continue
        name = snake(key.value)
        if name in found:
            name = f"{name} (unknown spelling)"
        found[name] = Place(place.file, key.start_mark.line + 1, value, node)
    return found


def entries(place: Place | None) -> Iterator[tuple[str, Place]]:
    """Yield what a map holds, under the keys as they stand there."""
    if place is not None and isinstance(place.node, yaml.MappingNode) and isinstance(place.value, dict):
        for key, node in place.node.value:
            value = place.value.get(key.value)
            if value is not None:
                yield key.value, Place(place.file, key.start_mark.line + 1, value, node)


def strange(said: Mapping[str, Place], known: Known) -> Iterator[tuple[str, Place]]:
    """Yield what a message says that the proof does not understand."""
    for name, place in said.items():
        if name not in known.read and name not in known.harmless and name != TYPE:
            yield name, place


def items(place: Place | None) -> list[Place]:
    """Return the messages of a repeated field; none where it is absent."""
    return [] if place is None else [child for child in place.children() if isinstance(child.value, dict)]


def kind(place: Place | None) -> str:
    """Return the full name of the type that an extension's config says it has; empty where it says none."""
    return "" if place is None else place.text(TYPE).rpartition("/")[2]


def text(place: Place | None) -> str:
    """Return a string; empty where there is none."""
    return place.value if place is not None and isinstance(place.value, str) else ""


def strings(value: object) -> Iterator[str]:
    """Yield every string inside plain data, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def snake(name: str) -> str:
    """Spell a field as the proto does: JSON's lowerCamelCase means the same."""
    if name.islower():
        return name
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
