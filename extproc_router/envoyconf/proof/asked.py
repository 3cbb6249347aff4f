"""Whom Envoy asks beside model servers: the router, about every request, and the verifier, about answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf import manager as managers
from extproc_router.envoyconf.proof import addresses
from extproc_router.envoyconf.proof.doubts import Doubt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.envoyconf.place import Place
    from extproc_router.envoyconf.proof.clusters import Clusters, Server
    from extproc_router.envoyconf.proof.duty import Duty
    from extproc_router.envoyconf.proof.ledger import Ledger


def judge_router(duty: Duty, clusters: Clusters, ledger: Ledger, ext_proc: Place) -> None:
    """Judge where the router is asked: every request goes there before anybody has read it."""
    field = "ext_proc.grpc_service"
    service = ext_proc.get("grpc_service")
    highest = len(duty.tiers) - 1
    first = duty.tiers[highest] if highest else f"unread by rule {duty.seals}"
    for server in _servers(clusters, ledger, field, service):
        is_model = server.name in duty.clearance
        if is_model and not duty.seals and duty.cleared(server.name, highest):
            continue
        if is_model or "mirror" in server.via:
            ledger.leak(service, field, " -> ".join((first, "ext_proc", *server.via, f"cluster {server.name}")))


def judge_verifiers(duty: Duty, clusters: Clusters, ledger: Ledger, doors: Iterable[Place]) -> None:
    """Judge where answers are judged: those to requests of every tier, and what is demanded of them, go there.

    Args:
        duty: what is demanded.
        clusters: some of which ask verifiers.
        ledger: told of what is found.
        doors: the connection managers, whose routers say where the sidecar is.
    """
    routers = frozenset(
        host
        for door in doors
        for entry in managers.ext_procs(door)[:1]
        for host in clusters.hosts(_cluster(entry.config.get("grpc_service")))
    )
    highest = len(duty.tiers) - 1
    for at, config in clusters.verifiers:
        service = config.get("grpc_service")
        field = f"{at}.grpc_service"
        for server in _servers(clusters, ledger, field, service):
            if "mirror" in server.via or (server.name in duty.clearance and not duty.cleared(server.name, highest)):
                story = (f"answers to {duty.tiers[highest]}", "verifier", *server.via, f"cluster {server.name}")
                ledger.leak(service, field, " -> ".join(story))
        hosts = clusters.hosts(_cluster(service))
        if not hosts or any(not addresses.is_loopback(host) and host not in routers for host in hosts):
            why = (
                f"cluster {_cluster(service)!r} may be anybody's: answers, and schemas of them, go to the sidecar alone"
            )
            ledger.doubt([Doubt(service, field, f"{why} (a unix socket, loopback, or the router's own host)")])


def _servers(clusters: Clusters, ledger: Ledger, field: str, service: Place) -> Iterable[Server]:
    """Return the servers that are asked; what of them is not understood is told."""
    if service.get("google_grpc").present:
        ledger.doubt([Doubt(service, field, "where google_grpc leads, this file does not say")])
    found = clusters.servers(_cluster(service))
    for server in found:
        ledger.doubt(server.doubts)
        if server.via and server.name and "mirror" not in server.via:
            why = f"cluster {server.name!r} may be asked, too: name the router's own cluster, and no group of several"
            ledger.doubt([Doubt(service, field, why)])
    return found


def _cluster(service: Place) -> str:
    return service.get("envoy_grpc").text("cluster_name")
