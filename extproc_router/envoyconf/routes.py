"""Whether Envoy's routes send every kind of request where the router's config says, with the router up or down.

That none of them leaves its privacy tier is another matter: `proof`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.config.meaning import did_you_mean
from extproc_router.envoyconf import matching, samples, table
from extproc_router.envoyconf.place import once
from extproc_router.policy import privacy
from extproc_router.router import CLUSTER_HEADER, DECISION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.matching import Sample
    from extproc_router.envoyconf.place import Finding
    from extproc_router.envoyconf.table import Host, Route


def findings(host: Host, served: tuple[str, ...], expected: Expected) -> Iterator[Finding]:
    """Judge one virtual host; `served` as `served_paths` returns it."""
    # Where every path is closed, one of them tells.
    paths, tiers = served or samples.API_PATHS[:1], expected.tiers
    decided = (sample for path in paths for sample in samples.decided(path, expected.clusters, tiers))
    unmarked = (sample for path in served for sample in samples.unmarked(path, tiers))
    passed = (samples.passed(path) for path in served)
    yield from once(finding for sample in decided for finding in _decided(host, sample))
    yield from once(finding for sample in (*unmarked, *passed) for finding in _default(host, sample, expected))


def served_paths(host: Host, expected: Expected) -> tuple[str, ...]:
    """Return the API paths that reach models: a host may close some whatever the router says."""
    paths = []
    for path in samples.API_PATHS:
        after = table.way(host, next(samples.decided(path, expected.clusters, ()))).route
        before = table.way(host, next(samples.unmarked(path, ()))).route
        if not (after is before and (after is None or after.closes)):
            paths.append(path)
    return tuple(paths)


def _decided(host: Host, sample: Sample) -> Iterator[Finding]:
    chosen = sample.headers[CLUSTER_HEADER]
    way = table.way(host, sample)

    def right(route: Route) -> bool:
        return route.cluster_header == CLUSTER_HEADER or route.cluster == chosen

    # One that is not understood may hold, or take what it should not; one that is holds for some requests alone.
    unread = [route for route in way.maybe if matching.opaque(route.place.get("match")) or not right(route)]
    for route in unread:
        yield route.place.unchecked(host.field(route), f"whether its conditions hold for {_told(sample)}")
    if any(right(route) for route in unread):
        return
    if way.route is None:
        yield host.place.mistake(host.field(None), f"no route takes {_told(sample)}{_overlooked(host)}")
    elif not right(way.route):
        yield way.route.place.mistake(
            host.field(way.route),
            f"takes {_told(sample)}, and does not send it where {CLUSTER_HEADER} says"
            f"{_misspelt(way.route) or _overlooked(host)}",
        )


def _default(host: Host, sample: Sample, expected: Expected) -> Iterator[Finding]:
    route, wanted = table.way(host, sample).route, expected.default_cluster
    if not wanted:
        return
    if route is None:
        yield host.place.mistake(host.field(None), f"no route takes {_told(sample)}: it belongs to {wanted!r}")
    elif route.closes and expected.guards and not sample.headers[DECISION_HEADER]:
        return  # what the rules have not read goes nowhere
    elif route.closes:
        yield route.place.unchecked(host.field(route), f"it closes {_told(sample)}, default or not")
    elif route.cluster_header:
        message = f"takes {_told(sample)} by a header that is not there: routing.default is served by {wanted!r}"
        yield route.place.mistake(host.field(route), message)
    elif not route.cluster:
        yield route.place.unchecked(
            host.field(route), f"whether its clusters serve routing.default, as {wanted!r} does"
        )
    elif route.cluster != wanted:
        yield route.place.get("route").mistake(
            host.field(route), f"takes {_told(sample)} to {route.cluster!r}: routing.default is served by {wanted!r}"
        )


def _told(sample: Sample) -> str:
    tier, chosen = sample.headers[privacy.HEADER], sample.headers[CLUSTER_HEADER]
    marked = f" marked {privacy.HEADER}: {tier}" if tier else ""
    did = "decided" if chosen else "let pass" if sample.headers[DECISION_HEADER] else "did not decide"
    return f"a request for {sample.path}{marked} that the router {did}"


def _misspelt(route: Route) -> str:
    name = route.cluster_header
    return f": cluster_header is {name!r}{did_you_mean(name, [CLUSTER_HEADER])}" if name else ""


def _overlooked(host: Host) -> str:
    """Name the route that should have taken it, where there is one."""
    for route in host.routes:
        if route.cluster_header == CLUSTER_HEADER:
            return f"; route {route.name!r} on line {route.place.line} does not come to it"
    return f"; there is no route with `cluster_header: {CLUSTER_HEADER}`"
