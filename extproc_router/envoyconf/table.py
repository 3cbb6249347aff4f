"""The routes of a virtual host in their order: which takes a request, and what becomes of it."""

from __future__ import annotations

from msgspec import Struct, field

from extproc_router.envoyconf import matching
from extproc_router.envoyconf.place import Place


class Route(Struct, frozen=True):
    """One route.

    Attributes:
        place: where it stands.
        name: its own, or its number.
        cluster: what it names, or empty.
        cluster_header: the header that it asks for a cluster, lower case, or empty.
        upstream: whether it has an upstream cluster at all, be it one without a server.
        closes: whether nothing that takes it reaches any server.
    """

    place: Place
    name: str
    cluster: str
    cluster_header: str
    upstream: bool
    closes: bool


class Host(Struct, frozen=True):
    """A virtual host, its route configuration and its routes; `known` holds what `on` has found."""

    config: Place
    place: Place
    name: str
    routes: tuple[Route, ...]
    known: dict[str, tuple[Route, ...]] = field(default_factory=dict)

    def on(self, path: str) -> tuple[Route, ...]:
        """Return the routes that may take requests on a path: of many, most are for others."""
        if path not in self.known:
            taking = (route for route in self.routes if matching.path(route.place.get("match"), path) is not False)
            self.known[path] = tuple(taking)
        return self.known[path]

    def field(self, route: Route | None) -> str:
        """Name a route in messages."""
        return f"virtual_hosts.{self.name}.routes" + (f".{route.name}" if route else "")


class Way(Struct, frozen=True):
    """Where a request goes: the first route that surely takes it, None for none; and those before that may."""

    route: Route | None
    maybe: tuple[Route, ...]


def hosts(manager: Place, bootstrap: Place) -> list[Host]:
    """Read the virtual hosts that stand in the file."""
    config, empty = manager.get("route_config"), empty_clusters(bootstrap)
    return [
        Host(config, host, host.text("name") or str(index), tuple(_routes(host, empty)))
        for index, host in enumerate(config.each("virtual_hosts"))
    ]


def way(host: Host, sample: matching.Sample) -> Way:
    """Walk the routes as Envoy does."""
    maybe: list[Route] = []
    for route in host.on(sample.path):
        taken = matching.takes(route.place.get("match"), sample)
        if taken:
            return Way(route, tuple(maybe))
        if taken is None:
            maybe.append(route)
    return Way(None, tuple(maybe))


def _routes(host: Place, empty: frozenset[str]) -> list[Route]:
    found = []
    for index, place in enumerate(host.each("routes")):
        action = place.get("route")
        cluster = action.text("cluster")
        found.append(
            Route(
                place=place,
                name=place.text("name") or str(index),
                cluster=cluster,
                cluster_header=action.text("cluster_header").lower(),
                upstream=action.present,
                closes=place.get("direct_response").present or place.get("redirect").present or cluster in empty,
            )
        )
    return found


def empty_clusters(bootstrap: Place) -> frozenset[str]:
    """Return the clusters that have no server and never will: static ones without endpoints."""
    return frozenset(
        cluster.text("name")
        for cluster in bootstrap.get("static_resources").each("clusters")
        if cluster.get("type").value in (None, "STATIC")
        and not cluster.get("cluster_type").present
        and not any(group.each("lb_endpoints") for group in cluster.get("load_assignment").each("endpoints"))
    ) - {""}
