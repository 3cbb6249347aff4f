"""Who writes the headers that routes go by: clients, and whatever Envoy is told to do with headers.

Headers are mutated early, before the first route is resolved, or by filters, when it has been.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import matching
from extproc_router.envoyconf.proof import known
from extproc_router.envoyconf.proof.doubts import Doubt
from extproc_router.envoyconf.proof.message import items, kind, members, strange, strings, text
from extproc_router.policy import privacy
from extproc_router.router import CHAIN_HEADER, CLUSTER_HEADER, DECISION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extproc_router.envoyconf.place import Place

INTERNAL = (CLUSTER_HEADER, DECISION_HEADER, CHAIN_HEADER)
"""What the router alone may say."""

OURS = (*INTERNAL, privacy.HEADER)
"""What routes go by."""

_EARLY = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
_EARLY_FIELD = "early_header_mutation_extensions"
_OVERWRITE_IF_EXISTS = ("OVERWRITE_IF_EXISTS", 3)
_OVERWRITES = ("OVERWRITE_IF_EXISTS", 3, "OVERWRITE_IF_EXISTS_OR_ADD", 2)
_MARKS = ("OVERWRITE_IF_EXISTS_OR_ADD", 2, "APPEND_IF_EXISTS_OR_ADD", 0)
_ADDS = ("APPEND_IF_EXISTS_OR_ADD", 0, "ADD_IF_ABSENT", 1)
# Repeated headers become one, joined with commas.
_JOIN = f"%CEL(request.headers['{privacy.HEADER}'])%"
_EARLIER = ", and too late for the first one: let `early_header_mutation_extensions` do it"
_MISREAD = "is not understood"


class How(Enum):
    """What a mutation does with a header."""

    REMOVE = "removes"
    ADD = "adds to"
    JOIN = "joins"
    WRITE = "may rewrite"


class Early(Struct, frozen=True):
    """What stands in the headers when the first route is resolved.

    Attributes:
        forged: headers of ours in which a client's own word may stand.
        joined: whether there is one tier's header at most.
        marked: whether every request is made to ask for the highest of several tiers.
        doubts: what is not understood.
    """

    forged: frozenset[str]
    joined: bool
    marked: bool
    doubts: tuple[Doubt, ...]


def early(manager: dict[str, Place], tiers: tuple[str, ...]) -> Early:
    """Follow the early mutations of a connection manager.

    Args:
        manager: its config.
        tiers: of the router's, lowest first.
    """
    forged, joined, marked, doubts = set(INTERNAL), False, False, []
    for extension in items(manager.get(_EARLY_FIELD)):
        config = members(extension).get("typed_config")
        said = members(config) if config else {}
        if kind(config) != _EARLY or said.keys() - {"@type", "mutations"}:
            doubts.append(Doubt(extension, _EARLY_FIELD, _MISREAD))
            # What it does is unknown.
            forged, joined, marked = set(INTERNAL), False, False
            continue
        for header, how, place in touched(items(said.get("mutations"))):
            if header == privacy.HEADER:
                action = _raises(place, tiers)
                joined = how is How.JOIN or action in _OVERWRITES
                marked = action in _MARKS or (marked and how in (How.JOIN, How.ADD))
                if how is How.REMOVE or (how is How.WRITE and action is None):
                    doubts.append(Doubt(place, _EARLY_FIELD, f"{how.value} {header}, which may lower a tier"))
            elif how is How.REMOVE:
                forged.discard(header)
            else:
                forged.add(header)
    return Early(frozenset(forged), joined, marked, tuple(doubts))


def touched(mutations: Iterable[Place], headers: Iterable[str] = OURS) -> Iterator[tuple[str, How, Place]]:
    """Yield what mutations do with the headers of ours, or with others."""
    for place in mutations:
        said = members(place)
        removed = text(said.get("remove")).lower()
        matched = members(said["remove_on_match"]).get("key_matcher") if "remove_on_match" in said else None
        added, how = _appended(said.get("append"))
        for header in headers:
            hit = False if matched is None else matching.string(matched, header)
            if len(said) != 1 or any(strange(said, known.HEADER_MUTATION)) or hit is None:
                yield header, How.WRITE, place
            elif header == removed or hit:
                yield header, How.REMOVE, place
            elif header == added:
                yield header, how, place


def _raises(mutation: Place, tiers: tuple[str, ...]) -> object:
    """Return by which action a mutation writes the highest tier, and nothing else; None where it does not."""
    said = members(mutation)
    appended = members(said["append"]) if said.keys() == {"append"} else {}
    header = members(appended["header"]) if appended.keys() <= {"header", "append_action"} and appended else {}
    value = text(header.get("value"))
    is_constant = header.keys() == {"key", "value"} and value.strip() and "%" not in value
    if not is_constant or len(tiers) == 1 or privacy.tier_of(value, tiers) != len(tiers) - 1:
        return None
    return appended["append_action"].value if "append_action" in appended else 0


def _appended(place: Place | None) -> tuple[str, How]:
    """Return the header that an addition goes to, and what becomes of it."""
    said = members(place) if place else {}
    header = members(said["header"]) if "header" in said else {}
    name = text(header.get("key")).lower()
    action = said["append_action"].value if "append_action" in said else 0
    if said.keys() - {"header", "append_action", "keep_empty_value"} or isinstance(action, bool):
        return name, How.WRITE
    if action in _ADDS:
        return name, How.ADD
    joins = action in _OVERWRITE_IF_EXISTS and header.keys() == {"key", "value"} and text(header["value"]) == _JOIN
    return name, How.JOIN if joins and name == privacy.HEADER else How.WRITE


def late(field: str, said: dict[str, Place]) -> Iterator[Doubt]:
    """Yield the headers of ours that a route, or what is above it, adds: they count when it is resolved again."""
    for option in items(said.get("request_headers_to_add")):
        header = members(option).get("header")
        name = header.text("key").lower() if header else ""
        if name in OURS:
            yield Doubt(option, f"{field}.request_headers_to_add", f"writes {name}, which routes go by{_EARLIER}")


def mentioned(place: Place, words: Iterable[str] = OURS) -> list[str]:
    """Return which of some words stand anywhere in a config."""
    said = [part.lower() for part in strings(place.value)]
    return [word for word in words if any(word in part for part in said)]
