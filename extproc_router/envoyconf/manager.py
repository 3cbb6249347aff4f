"""What a connection manager must do around the ext_proc filter: ask it, in time, and let nobody speak in its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.envoyconf import matching, samples, table
from extproc_router.envoyconf.place import Place, once
from extproc_router.extproc.codec import METADATA_NAMESPACE
from extproc_router.router import CLUSTER_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding
    from extproc_router.envoyconf.table import Host, Route

_ROUTER = "Router"
_PER_ROUTE = "ExtProcPerRoute"
_FILTER_CONFIG = "FilterConfig"


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
        yield entry.place.mistake(f"http_filters.{entry.name}", "stands after the router filter: it is never reached")
    mutations = list(_early_mutations(manager))
    if not any(_removes(mutation, CLUSTER_HEADER) for mutation in mutations):
        yield manager.get("early_header_mutation_extensions").mistake(
            "early_header_mutation_extensions", f"does not remove {CLUSTER_HEADER}: clients can choose a cluster"
        )


def asks(entry: Filter, host: Host, served: tuple[str, ...], expected: Expected) -> Iterator[Finding]:
    """Judge whether the filter runs on every route that a request takes before the router has read it."""
    ways = ((path, table.way(host, sample)) for path in served for sample in samples.undecided(path, expected.tiers))
    yield from once(finding for path, way in ways for finding in _asked(entry, host, way.route, path))


def _asked(entry: Filter, host: Host, route: Route | None, path: str) -> Iterator[Finding]:
    disabled = entry.place.get("disabled")
    scopes = ([route.place] if route else []) + [host.place, host.config]
    # The nearest scope that says something counts, and one that configures a filter enables it.
    special = [place for scope in scopes if (place := scope.get("typed_per_filter_config").get(entry.name)).present]
    if special:
        inner = special[0].get("config") if special[0].kind() == _FILTER_CONFIG else special[0]
        flags = [place.get("disabled") for place in (special[0], inner)]
        disabled = next((flag for flag in flags if flag.truth() is True), flags[0])
        if inner.get("overrides").present or inner.kind() not in {_PER_ROUTE, ""}:
            yield inner.unchecked(f"typed_per_filter_config.{entry.name}", "what is overridden here")
    if disabled.truth() is True:
        yield disabled.mistake(host.field(route), f"ext_proc is disabled: the router never reads requests for {path}")


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
