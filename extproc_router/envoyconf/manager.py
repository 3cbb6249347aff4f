"""What a connection manager must do around the ext_proc filter: ask it, in time, and let nobody speak in its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.envoyconf import matching, samples, table
from extproc_router.envoyconf.place import UNDECIDED, Place, once
from extproc_router.extproc.codec import METADATA_NAMESPACE
from extproc_router.router import CHAIN_HEADER, CLUSTER_HEADER, DECISION_HEADER, RETRIES_HEADER, TIMEOUT_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding
    from extproc_router.envoyconf.table import Host, Route

_ROUTER = "Router"
_PER_ROUTE = "ExtProcPerRoute"
_FILTER_CONFIG = "FilterConfig"
# What a header does that a client may set, because nobody removes it before the first route is resolved.
_FORGED = {
    CLUSTER_HEADER: "choose a cluster",
    DECISION_HEADER: "have requests pass for decided where the router is down",
    CHAIN_HEADER: "choose a route",
    RETRIES_HEADER: "have a request made again and again",
    TIMEOUT_HEADER: "have a request made again and again",
    "x-envoy-retry-on": "have a request made again and again",
    "x-envoy-upstream-rq-timeout-ms": "change how long Envoy waits",
    "x-envoy-hedge-on-per-try-timeout": "have a request made twice at once",
}


class Filter(Struct, frozen=True):
    """An entry of `http_filters` that holds an ext_proc."""

    index: int
    name: str
    place: Place
    config: Place


def ext_procs(manager: Place) -> list[Filter]:
    """Return the ext_proc filters that may be the router's: those that take its metadata, or all where none does."""
    found = [
        Filter(index, place.text("name"), place, config)
        for index, place in enumerate(manager.each("http_filters"))
        if (config := place.get("typed_config")).kind() == bootstraps.EXT_PROC
    ]
    ours = [entry for entry in found if METADATA_NAMESPACE in _namespaces(entry.config)]
    return ours or found


def opaque_filters(manager: Place) -> Iterator[Finding]:
    """Tell the filters that stand elsewhere, or are written in a way that is not read here."""
    for place in manager.each("http_filters"):
        if place.get("config_discovery").present or place.get("typed_config").kind() == "TypedStruct":
            yield place.unchecked(f"http_filters.{place.text('name')}", "a filter that is discovered or untyped")


def findings(manager: Place, entry: Filter) -> Iterator[Finding]:
    """Judge one manager by what is independent of its routes."""
    before = manager.each("http_filters")[: entry.index]
    if any(place.get("typed_config").kind() == _ROUTER for place in before):
        yield entry.place.mistake(
            f"http_filters.{entry.name}", f"stands after the router filter: it is never reached, and {UNDECIDED}"
        )
    mutations = list(_early_mutations(manager))
    loose = {header: why for header, why in _FORGED.items() if not any(_removes(each, header) for each in mutations)}
    if loose:
        told = f"does not remove {', '.join(loose)}: clients can {', '.join(dict.fromkeys(loose.values()))}"
        yield manager.get("early_header_mutation_extensions").mistake("early_header_mutation_extensions", told)


def asks(entry: Filter, host: Host, served: tuple[str, ...], expected: Expected) -> Iterator[Finding]:
    """Judge whether the filter runs on every route that a request takes before the router has read it."""
    ways = ((path, table.way(host, sample)) for path in served for sample in samples.undecided(path, expected.tiers))
    yield from once(finding for path, way in ways for finding in _asked(entry, host, way.route, path))


def _asked(entry: Filter, host: Host, route: Route | None, path: str) -> Iterator[Finding]:
    special = override(host, route, entry.name)
    disabled = off(entry.place, special)
    inner = _inner(special)
    if special.present and (inner.get("overrides").present or inner.kind() not in {_PER_ROUTE, ""}):
        yield inner.unchecked(f"typed_per_filter_config.{entry.name}", "what is overridden here")
    if disabled.truth() is True:
        told = f"ext_proc is disabled: the router never reads requests for {path}, and none of its rules holds for them"
        yield disabled.mistake(host.field(route), told)


def override(host: Host, route: Route | None, name: str) -> Place:
    """Return what the nearest scope says of a filter; an absent place where none says anything."""
    scopes = ([route.place] if route else []) + [host.place, host.config]
    found = [place for scope in scopes if (place := scope.get("typed_per_filter_config").get(name)).present]
    return found[0] if found else host.config.get("typed_per_filter_config").get(name)


def off(entry: Place, special: Place) -> Place:
    """Return the flag that says whether a filter is off: its own, or that of a nearer scope.

    Args:
        entry: of the list of filters.
        special: as `override` returns it; one that configures the filter enables it.
    """
    if not special.present:
        return entry.get("disabled")
    flags = [special.get("disabled"), _inner(special).get("disabled")]
    return next((flag for flag in flags if flag.truth() is True), flags[0])


def _inner(special: Place) -> Place:
    return special.get("config") if special.kind() == _FILTER_CONFIG else special


def _namespaces(config: Place) -> list[object]:
    names = config.get("metadata_options").get("receiving_namespaces").get("untyped").value
    return names if isinstance(names, list) else []


def _early_mutations(manager: Place) -> Iterator[Place]:
    for extension in manager.each("early_header_mutation_extensions"):
        yield from extension.get("typed_config").each("mutations")


def _removes(mutation: Place, header: str) -> bool:
    if mutation.text("remove").lower() == header:
        return True
    matcher = mutation.get("remove_on_match").get("key_matcher")
    return matcher.present and matching.string(matcher, header) is True
