"""Addresses as the config writes them -> as Envoy's `config.core.v3.Address`, in YAML."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from extproc_router.envoyconf.render import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.config.endpoint_schema import ClusterEndpoint

_UNIX = "unix:"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_WORKER = "{worker}"


def written(address: str) -> str:
    """Write one address, `host:port` or `unix:/path`."""
    if address.startswith(_UNIX):
        return f"{{pipe: {{path: {text.scalar(address.removeprefix(_UNIX))}}}}}"
    host, _, port = address.rpartition(":")
    return f"{{socket_address: {{address: {_host(host)}, port_value: {port}}}}}"


def is_static(addresses: Sequence[str]) -> bool:
    """Whether nobody has to be asked where these are: sockets and IP addresses."""
    return all(address.startswith(_UNIX) or _is_ip(address.rpartition(":")[0]) for address in addresses)


def are_of_a_kind(addresses: Sequence[str]) -> bool:
    """Whether one cluster of Envoy can have all of these: a socket has no name that could be resolved."""
    return is_static(addresses) or not any(address.startswith(_UNIX) for address in addresses)


def is_host(name: str) -> bool:
    """Whether the name of a cluster can be that of a host."""
    return _HOST.fullmatch(name) is not None


def can_be_shared(template: str) -> bool:
    """Whether several workers can listen there: each has an address of its own, or a TCP port is shared."""
    return _WORKER in template or not template.startswith(_UNIX)


def collide(listened: str, other: str) -> bool:
    """Whether one machine cannot listen at both of these IP addresses."""
    host, _, port = listened.rpartition(":")
    other_host, _, other_port = other.rpartition(":")
    hosts = {ip_address(host.strip("[]")), ip_address(other_host.strip("[]"))}
    return port == other_port and (len(hosts) == 1 or any(address.is_unspecified for address in hosts))


def of_workers(template: str, workers: int) -> tuple[str, ...]:
    """Return the addresses of the router's workers, as `serve --listen` makes them of the same template."""
    return tuple(dict.fromkeys(template.replace(_WORKER, str(worker)) for worker in range(workers)))


def of_cluster(name: str, endpoint: ClusterEndpoint) -> tuple[str, ...]:
    """Return the addresses of a cluster's servers."""
    return tuple(dict.fromkeys(endpoint.addresses or (f"{name}:8000",)))


def _host(host: str) -> str:
    bare = host.strip("[]")
    return bare if _is_ip(host) and ":" not in bare else text.scalar(bare)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
