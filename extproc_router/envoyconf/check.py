"""What in an envoy.yaml would make the router's decisions come to nothing, found before a request does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.envoyconf import (
    buffers,
    chains,
    expected,
    manager,
    processor,
    retries,
    routes,
    slow_clients,
    table,
    timeouts,
    upstreams,
)
from extproc_router.envoyconf.place import UNDECIDED
from extproc_router.router import CASCADE, FALLBACK
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.config.loader import Config
    from extproc_router.envoyconf.bootstrap import Manager
    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding, Place


class Report(Struct, frozen=True):
    """What was found, each in file order; `notes` say what could not be checked, or what a site may mean."""

    mistakes: tuple[Mistake, ...]
    notes: tuple[Mistake, ...]


def compare(config: Config | None, bootstrap: Place) -> Report:
    """Compare a router config with an Envoy bootstrap.

    That the bootstrap declares the models' clusters is not judged here: `config.loader.load` does, given `clusters`.

    Args:
        config: checked by itself already; None where it cannot be read: its defaults stand in.
        bootstrap: as `bootstrap.read` returns it.
    """
    wanted = expected.of(config)
    found = sorted(
        set(_findings(bootstrap, wanted)),
        key=lambda finding: (finding.mistake.line, finding.mistake.field, finding.mistake.message),
    )
    return Report(
        mistakes=tuple(finding.mistake for finding in found if finding.certain),
        notes=tuple(finding.mistake for finding in found if not finding.certain),
    )


def clusters(bootstrap: Place) -> frozenset[str] | None:
    """Return the clusters that models may name; None where a control plane may add some."""
    return None if bootstraps.discovers_clusters(bootstrap) else bootstraps.cluster_names(bootstrap)


def _findings(bootstrap: Place, wanted: Expected) -> Iterator[Finding]:
    judged = []
    walked = False
    for entry in bootstraps.managers(bootstrap):
        filters = manager.ext_procs(entry.place)
        judged += [found.config.value for found in filters]
        walks = wanted.chains and any(chains.walking(host) for host in table.hosts(entry.place, bootstrap))
        walked = walked or (walks and bool(filters))
        for found in filters:
            yield from _manager(entry, found, bootstrap, wanted, walks=walks)
    if walked:
        yield from upstreams.findings(bootstrap, wanted)
        yield from retries.breakers(bootstrap, wanted)
    opaque = list(_opaque(bootstrap))
    yield from opaque
    if bootstraps.discovers_clusters(bootstrap):
        yield bootstrap.get("dynamic_resources").unchecked("cds_config", "clusters that are discovered (CDS)")
    if not judged and not opaque:
        yield bootstrap.mistake(
            "http_filters", f"there is no envoy.filters.http.ext_proc: the router is never asked, and {UNDECIDED}"
        )
    judged += [entry.get("typed_config").value for entry in upstreams.verifiers(bootstrap, wanted)]
    for stray in bootstraps.ext_procs(bootstrap):
        if not any(stray.value is config for config in judged):
            yield stray.unchecked("ext_proc", "a filter that is not the router's, or not a listener's own")


def _opaque(bootstrap: Place) -> Iterator[Finding]:
    """Tell where filters may be hidden."""
    for entry in bootstraps.managers(bootstrap):
        yield from manager.opaque_filters(entry.place)
    if bootstraps.discovers_listeners(bootstrap):
        yield bootstrap.get("dynamic_resources").unchecked("lds_config", "listeners that are discovered (LDS)")


def _manager(
    entry: Manager, found: manager.Filter, bootstrap: Place, wanted: Expected, *, walks: bool
) -> Iterator[Finding]:
    yield from processor.findings(found.config, bootstrap, wanted, walks=walks)
    yield from manager.findings(entry.place, found)
    hosts = table.hosts(entry.place, bootstrap)
    if not hosts or entry.place.get("route_config").get("vhds").present:
        yield entry.place.unchecked("route_config", "routes that do not stand in this file (RDS, VHDS)")
    for host in hosts:
        if host.place.get("matcher").present:
            yield host.place.get("matcher").unchecked(host.field(None), "routes that are a matcher tree")
            continue
        served = routes.served_paths(host, wanted)
        yield from routes.findings(host, served, wanted)
        yield from timeouts.findings(host, entry.place, wanted)
        yield from manager.asks(found, host, served, wanted)
        yield from buffers.findings(entry.listener, host, served, wanted)
        yield from chains.findings(host, served, wanted, table.empty_clusters(bootstrap))
        if walks:
            judged = chains.taking(host, served, wanted.clusters[0], CASCADE)
            if not wanted.cascades:
                # Nothing takes what is for cascades alone: a file may stay as it is where a config's last one has gone.
                busy = chains.taking(host, served, wanted.clusters[0], FALLBACK)
                judged = [route for route in judged if route not in busy]
            yield from retries.findings(host, judged, chains.walking(host), wanted)
            yield from upstreams.judging(host, judged, bootstrap, wanted)
            if judged and wanted.cascades:
                yield from slow_clients.findings(entry.listener, entry.place)
