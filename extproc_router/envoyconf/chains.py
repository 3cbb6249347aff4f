"""Whether Envoy walks the chains that the router decides, and what becomes of a request where it does not.

A route walks where its cluster specifier is `priority_group`: each attempt goes to the next of the clusters that the
router put into the metadata. Without such a route a chain's first model is the only one: plain mode, which is legal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf import matching, samples, table
from extproc_router.envoyconf.place import once, shown
from extproc_router.extproc.codec import CHAIN_NAMESPACE
from extproc_router.router import CASCADE, CHAIN_HEADER, FALLBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding, Place
    from extproc_router.envoyconf.table import Host, Route

_SPECIFIER = "PriorityGroupClusterSpecifier"


def specifier(host: Host, route: Route) -> Place | None:
    """Return the config of a route's cluster specifier; None where it is none that walks."""
    action = route.place.get("route")
    plugin = action.get("inline_cluster_specifier_plugin")
    if name := action.text("cluster_specifier_plugin"):
        named = host.config.each("cluster_specifier_plugins")
        plugin = next((entry for entry in named if entry.get("extension").text("name") == name), plugin)
    config = plugin.get("extension").get("typed_config")
    return config if config.kind() == _SPECIFIER else None


def walking(host: Host) -> list[Route]:
    """Return the routes that walk."""
    return [route for route in host.routes if specifier(host, route)]


def taking(host: Host, served: tuple[str, ...], cluster: str, kind: str) -> list[Route]:
    """Return the routes that take the chains of a kind, `fallback` or `cascade`, and walk them."""
    ways = (table.way(host, samples.chained(path, cluster, kind)).route for path in served)
    found = {route.place.line: route for route in ways if route and specifier(host, route)}
    return list(found.values())


def findings(host: Host, served: tuple[str, ...], expected: Expected, empty: frozenset[str]) -> Iterator[Finding]:
    """Judge one virtual host.

    Args:
        host: its routes.
        served: as `routes.served_paths` returns it.
        expected: what the config expects.
        empty: names of the clusters without servers.
    """
    if not expected.chains or not served:
        return
    if not walking(host):
        told = "chains are not walked: plain: where the first model fails, the client gets its error"
        if expected.cascades:
            told += "; no answer is judged: without `serve --verify-listen`, or clients get log-probabilities unasked"
        yield host.place.note(host.field(None), told)
        return
    kinds = (FALLBACK, CASCADE) if expected.cascades else (FALLBACK,)
    tried = [(path, kind) for path in served for kind in kinds]
    yield from once(finding for path, kind in tried for finding in _taken(host, path, kind, expected))
    for route in walking(host):
        if config := specifier(host, route):
            yield from _specifier(host.field(route), config, empty)
    yield from _host(host, expected)


def _taken(host: Host, path: str, kind: str, expected: Expected) -> Iterator[Finding]:
    way = table.way(host, samples.chained(path, expected.clusters[0], kind))
    for route in way.maybe:
        if matching.opaque(route.place.get("match")):
            yield route.place.unchecked(host.field(route), f"whether it takes requests with {CHAIN_HEADER}: {kind}")
            return
    if way.route is None or specifier(host, way.route):
        return  # that no route takes it is told with what the router decided
    lost = "where the first model fails, the client gets its error"
    if kind == CASCADE:
        lost = "no answer is judged, and every first answer is served"
    later = next((route for route in walking(host) if _is_for(host, route, path, kind, expected)), None)
    there = f"; route {later.name!r} on line {later.place.line} does not come to it" if later else ""
    told = f"takes a request for {path} with {CHAIN_HEADER}: {kind}, and walks no chain: {lost}{there}"
    yield way.route.place.mistake(host.field(way.route), told)


def _is_for(host: Host, route: Route, path: str, kind: str, expected: Expected) -> bool:
    sample = samples.chained(path, expected.clusters[0], kind)
    return route in host.on(path) and matching.takes(route.place.get("match"), sample) is True


def _specifier(field: str, config: Place, empty: frozenset[str]) -> Iterator[Finding]:
    namespace = config.get("override_metadata_namespace")
    if namespace.value != CHAIN_NAMESPACE:
        said = f"is {shown(namespace.value)}" if namespace.present else "is missing"
        told = f"{said}: the router writes {CHAIN_NAMESPACE}, which nobody reads: every such request "
        yield namespace.mistake(f"{field}.override_metadata_namespace", f"{told}goes to the groups that stand here")
    for group in config.each("priority_groups"):
        for cluster in group.each("clusters"):
            if (name := cluster.text("cluster_name")) not in empty:
                told = f"a request whose list is lost or malformed goes to {name!r}, whatever its tier"
                yield cluster.mistake(f"{field}.priority_groups", f"{told}: name a cluster without servers")


def _host(host: Host, expected: Expected) -> Iterator[Finding]:
    counts = host.place.get("include_request_attempt_count")
    if counts.truth() is not True:
        judged = ", and no answer is judged" if expected.cascades else ""
        told = (
            f"is not true: each attempt gets the first model's body, whose name other servers do not know (404){judged}"
        )
        yield counts.mistake(f"virtual_hosts.{host.name}.include_request_attempt_count", told)
    wanted = [("x-cascade-escalate", expected.cascades), ("x-llm-next", expected.on_context_length)]
    removed = [scope.names("response_headers_to_remove") for scope in (host.place, host.config)]
    shown_to_clients = [name for name, is_used in wanted if is_used and not any(name in names for names in removed)]
    if shown_to_clients:
        told = f"lacks {', '.join(shown_to_clients)}: where no attempt is left, the client sees it"
        yield host.place.get("response_headers_to_remove").mistake(
            f"virtual_hosts.{host.name}.response_headers_to_remove", told
        )
