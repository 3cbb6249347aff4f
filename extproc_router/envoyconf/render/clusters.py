"""The clusters of the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.render import addresses, lua, templates, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.envoyconf.render.plan import Cluster, Plan

_LUA_COLUMN = 16
_SERVER_COLUMN = 8


def written(plan: Plan) -> str:
    """Write all of them; what several have in common is written out for the first, with its reasons."""
    known: dict[str, list[str]] = {}
    blocks = (_cluster(cluster, plan, is_first=place == 0) for place, cluster in enumerate(plan.clusters))
    return "\n".join(templates.once(block, known) for block in blocks)


def servers(at: Sequence[str]) -> str:
    """Write a list of endpoints."""
    lines = "\n".join(f"- endpoint: {{address: {addresses.written(address)}}}" for address in at)
    return text.indented(lines, _SERVER_COLUMN)


def kind(at: Sequence[str]) -> str:
    """Return the type of a cluster with these addresses."""
    return "STATIC" if addresses.is_static(at) else "STRICT_DNS"


def _cluster(cluster: Cluster, plan: Plan, *, is_first: bool) -> str:
    endpoint = cluster.endpoint
    speaks_http2 = endpoint.protocol == "http2"
    return templates.filled(
        "cluster",
        {
            "static": addresses.is_static(cluster.addresses),
            "tls": endpoint.tls,
            "http2": speaks_http2,
            "checked": bool(endpoint.health_path),
            "chains": plan.chains,
            "cascades": plan.cascades,
            "first": is_first,
        },
        name=text.scalar(cluster.served.cluster),
        replicas="  # every address behind the name is a replica: use a headless Service" if is_first else "",
        connect_timeout=text.seconds(endpoint.connect_seconds),
        servers=servers(cluster.addresses),
        sni=f"sni: {text.scalar(endpoint.host)}" if endpoint.host else "auto_host_sni: true",
        ca=text.scalar(endpoint.ca),
        health=_health(cluster),
        max_retries=endpoint.max_retries,
        # With chains, each cluster's filters are its own.
        shared="" if plan.chains else f" &{endpoint.protocol}",
        lua=text.indented(lua.source(cluster.served), _LUA_COLUMN).rstrip("\n"),
    )


def _health(cluster: Cluster) -> str:
    fields = [f"path: {text.scalar(cluster.endpoint.health_path)}"]
    if cluster.endpoint.host:
        fields.append(f"host: {text.scalar(cluster.endpoint.host)}")
    if cluster.endpoint.protocol == "http2":
        fields.append("codec_client_type: HTTP2")
    return "{" + ", ".join(fields) + "}"
