"""The HTTP filters of a connection manager: where the router is asked, and who else may steer or read a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import manager as managers
from extproc_router.envoyconf import matching
from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof import extensions, header_rules, known, mutations, upstream
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.message import entries, items, kind, members
from extproc_router.envoyconf.proof.mutations import How
from extproc_router.extproc.codec import ATTEMPTS_NAMESPACE, CASCADE_NAMESPACE
from extproc_router.policy import privacy
from extproc_router.router import CLUSTER_HEADER, DECISION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


_HTTP = "envoy.extensions.filters.http."
_PER_ROUTE = f"{_HTTP}ext_proc.v3.ExtProcPerRoute"
_HEADER_MUTATION = f"{_HTTP}header_mutation.v3.HeaderMutation"
_HEADER_MUTATION_PER_ROUTE = f"{_HTTP}header_mutation.v3.HeaderMutationPerRoute"
_ROUTER = f"{_HTTP}router.v3.Router"
_WRAPPED = "envoy.config.route.v3.FilterConfig"
_PATH = ":path"
_OUT = "take it out"
_STEERS = (*mutations.OURS, _PATH)
# Envoy's own filters write metadata under names that begin so, whether or not their configs say it.
_ENVOYS = "envoy."
_INSTEAD = {
    privacy.HEADER: ": let it write another, and a safety rule read that (`then: restrict`)",
    _PATH: ": let it write another",
}
_SEND = (None, "DEFAULT", "SEND", 0, 1)
_BUFFERED = ("BUFFERED", 2)
# What the router reads of a request's head, beside what signals name.
_HEAD = (":method", ":path", "content-type", "content-encoding", "content-length", "transfer-encoding")


class Chain(Struct, frozen=True):
    """The filters of one manager.

    Attributes:
        ext_proc: the config of the filter that asks the router; None where there is none.
        allows: whether Envoy goes on without the router, by its config.
        name: of that filter; empty where there is none.
        trusted: names of the others that somebody vouches for.
        namespaces: of metadata that the router alone writes.
        doubts: what is not understood.
    """

    ext_proc: Place | None
    allows: bool
    name: str
    trusted: frozenset[str]
    namespaces: frozenset[str]
    doubts: tuple[Doubt, ...]


def read(
    manager: Place, said: dict[str, Place], *, headers: Iterable[str], trusted: frozenset[str] = frozenset()
) -> Chain:
    """Read the filters of a manager.

    Args:
        manager: its config.
        said: the same, as `members` reads it.
        headers: those that signals read.
        trusted: names of the filters that somebody vouches for; the router's is never one of them.
    """
    found = managers.ext_procs(manager)
    ours = found[0].config if found else None
    own = found[0].name if found else ""
    doubts: list[Doubt] = []
    is_before = ours is not None
    others: list[Place] = []
    for place in items(said.get("http_filters")):
        entry = members(place)
        name = place.text("name")
        field = f"http_filters.{name}"
        doubts += misread(field, entry, known.HTTP_FILTER)
        config = entry.get("typed_config")
        if ours is not None and config is not None and config.value is ours.value:
            is_before = False
            doubts += _processor(field, config, headers)
        elif name not in trusted:
            if config is None:
                doubts.append(Doubt(place, field, f"it says nothing of its type: {_cure(name)}"))
            else:
                doubts += _filter(field, name, config, is_before=is_before)
            others.append(place)
    doubts += _spoken_for((*others, *_said_to_filters(said.get("route_config"))))
    return Chain(
        ours,
        ours is not None and ours.get("failure_mode_allow").truth() is True,
        own,
        trusted - {own},
        _ours_alone(frozenset(_namespaces(ours)), others, said.get("route_config")),
        tuple(doubts),
    )


def per_route(field: str, said: Mapping[str, Place], chain: Chain) -> Iterator[Doubt]:
    """Yield what a route, or what is above it, says to filters and is not understood."""
    for name, place in entries(said.get("typed_per_filter_config")):
        where = f"{field}.typed_per_filter_config.{name}"
        config = _unwrapped(place)
        if kind(place) == _WRAPPED:
            yield from misread(where, members(place), known.FILTER_CONFIG)
        if config is None:
            continue
        if kind(config) == _PER_ROUTE:
            yield from _overridden(where, config, is_router=name == chain.name)
        elif name not in chain.trusted:
            yield from _special(where, _OUT if name == chain.name else _cure(name), config)


def _unwrapped(place: Place) -> Place | None:
    """Return what is said to a filter, without a wrapper; None where that only turns it on or off."""
    return members(place).get("config") if kind(place) == _WRAPPED else place


def _overridden(field: str, config: Place, *, is_router: bool) -> Iterator[Doubt]:
    """Judge what a route says to the filter that asks the router, or to one that asks a verifier."""
    said = members(config)
    yield from misread(field, said, known.EXT_PROC_PER_ROUTE)
    if "overrides" in said and not is_router:
        yield Doubt(said["overrides"], f"{field}.overrides", "a route may turn a verifier off, and no more")
        return
    inner = members(said["overrides"]) if "overrides" in said else {}
    yield from misread(f"{field}.overrides", inner, known.EXT_PROC_OVERRIDES)
    if "processing_mode" in inner:
        yield from _modes(f"{field}.overrides", inner)


def _special(field: str, cure: str, config: Place) -> Iterator[Doubt]:
    """Judge what a route says to another filter."""
    type_name = kind(config)
    if type_name == _HEADER_MUTATION_PER_ROUTE:
        yield from misread(field, members(config), known.HEADER_MUTATION_PER_ROUTE)
        yield from _mutates(field, config, is_before=False)
    elif type_name == extensions.FILTER_STATE:
        yield from _states(field, config)
    elif type_name in extensions.WRITERS_PER_ROUTE:
        yield from _writes(field, config)
    elif type_name not in extensions.READERS_PER_ROUTE:
        short = type_name.rpartition(".")[2] or "?"
        yield Doubt(config, field, f"what {short} makes a filter do is not understood: {cure}")


def _namespaces(ext_proc: Place | None) -> Iterator[str]:
    if ext_proc is not None:
        names = ext_proc.get("metadata_options").get("receiving_namespaces").get("untyped").value
        yield from (name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _ours_alone(named: frozenset[str], others: list[Place], table: Place | None) -> frozenset[str]:
    """Return of the namespaces that the router may write those that no other filter writes, on any route.

    What is said only to a filter that writes none is held against it all the same.
    """
    found = {name for name in named if not name.startswith(_ENVOYS)}
    if found:
        for place in (*others, *_said_to_filters(table)):
            found -= set(mutations.mentioned(place, found))
    return frozenset(found)


def _spoken_for(others: Iterable[Place]) -> Iterator[Doubt]:
    """Yield the filters that may say in the router's name what later attempts send, or what is demanded of answers."""
    for place in others:
        for name in mutations.mentioned(place, (ATTEMPTS_NAMESPACE, CASCADE_NAMESPACE)):
            yield Doubt(place, "http_filters", f"may write the metadata {name!r}, which is the router's alone")


def _said_to_filters(table: Place | None) -> Iterator[Place]:
    for message in table.messages() if table else ():
        for _, place in entries(message.get("typed_per_filter_config")):
            config = _unwrapped(place)
            if config is not None and kind(config) != _PER_ROUTE:
                yield config


def _filter(field: str, name: str, config: Place, *, is_before: bool) -> Iterator[Doubt]:
    """Judge a filter that is not the router's; `is_before` where it comes before that."""
    type_name = kind(config)
    if type_name == _ROUTER:
        said = members(config)
        yield from misread(field, said, known.ROUTER)
        yield from upstream.doubts(f"{field}.upstream", said.get("upstream_http_filters"), own=False)
    elif type_name == _HEADER_MUTATION:
        yield from misread(field, members(config), known.HEADER_MUTATION_FILTER)
        yield from _mutates(field, config, is_before=is_before)
    elif type_name == extensions.FILTER_STATE:
        yield from _states(field, config)
    elif type_name in extensions.WRITERS:
        yield from _writes(field, config)
    elif type_name == upstream.EXT_PROC:
        why = "a second ext_proc may read and rewrite what the router decides"
        yield Doubt(config, field, f"{why}: {_cure(name)}")
    elif type_name in extensions.BEFORE and not is_before:
        yield Doubt(config, field, "it changes bodies that the router has read: put it in front of the router's filter")
    elif type_name not in extensions.READERS | extensions.BEFORE:
        short = type_name.rpartition(".")[2] or "?"
        yield Doubt(config, field, f"a filter of the type {short} may steer or send requests: {_cure(name)}")


def _cure(name: str) -> str:
    return f"{_OUT}, or look yourself and vouch for it (--trust {name})"


def _writes(field: str, config: Place) -> Iterator[Doubt]:
    """Judge a filter that writes headers which its config names. What looks at them by such a name is held to write."""
    for header in mutations.mentioned(config, _STEERS):
        yield Doubt(config, field, f"may write {header}, which routes go by{_INSTEAD.get(header, '')}")


def _states(field: str, config: Place) -> Iterator[Doubt]:
    """Judge a filter that sets objects for others to read: those that Envoy goes by have names of its own."""
    for value in items(members(config).get("on_request_headers")):
        name = value.text("object_key")
        if not name or name.startswith(_ENVOYS):
            yield Doubt(value, field, f"sets {name or 'an object without a name'}, which Envoy may go by")


def _mutates(field: str, config: Place, *, is_before: bool) -> Iterator[Doubt]:
    said = members(config)
    inner = members(said["mutations"]) if "mutations" in said else {}
    yield from misread(f"{field}.mutations", inner, known.HEADER_MUTATIONS)
    for header, how, place in mutations.touched(items(inner.get("request_mutations")), _STEERS):
        # Before the router is asked, to remove what clients cannot have set any more changes nothing.
        if not (is_before and how is How.REMOVE and header != privacy.HEADER):
            yield Doubt(place, field, f"{how.value} {header}, which routes go by")


def _processor(field: str, config: Place, headers: Iterable[str]) -> Iterator[Doubt]:
    """Judge the filter that asks the router."""
    said = members(config)
    yield from misread(field, said, known.EXT_PROC)
    yield from _modes(field, said)
    rules = members(said["mutation_rules"]) if "mutation_rules" in said else {}
    for header in (CLUSTER_HEADER, DECISION_HEADER):
        if not header_rules.surely(rules, header):
            yield Doubt(config, f"{field}.mutation_rules", f"the router may not write {header}: decisions get lost")
    if "forward_rules" in said:
        forwarded = members(said["forward_rules"])
        for header in (privacy.HEADER, *_HEAD, *headers):
            if _hides(forwarded, header):
                yield Doubt(said["forward_rules"], f"{field}.forward_rules", f"may hide {header} from the router")


def _modes(field: str, said: Mapping[str, Place]) -> Iterator[Doubt]:
    place = said.get("processing_mode")
    modes = members(place) if place else {}
    body = modes["request_body_mode"].value if "request_body_mode" in modes else None
    head = modes["request_header_mode"].value if "request_header_mode" in modes else None
    if body not in _BUFFERED or head not in _SEND:
        at = next(iter(said.values())) if place is None else place
        yield Doubt(at, f"{field}.processing_mode", "the router may not see whole requests before they go on")


def _hides(rules: dict[str, Place], header: str) -> bool:
    def any_of(name: str) -> list[bool | None]:
        return [matching.string(place, header) for place in items(members(rules[name]).get("patterns"))]

    if "disallowed_headers" in rules and any(hit is not False for hit in any_of("disallowed_headers")):
        return True
    return "allowed_headers" in rules and True not in any_of("allowed_headers")
