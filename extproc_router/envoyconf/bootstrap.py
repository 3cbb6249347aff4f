"""An Envoy bootstrap file: where its clusters, connection managers and filters stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import yaml_file
from extproc_router.envoyconf.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXT_PROC = "ExternalProcessor"
MANAGER = "HttpConnectionManager"


class Manager(Struct, frozen=True):
    """An HTTP connection manager and the listener that it serves."""

    listener: Place
    place: Place


def read(path: Path) -> Place:
    """Read a bootstrap file.

    Raises:
        StartupError: it cannot be read, is no YAML mapping, or is too large or too deep.
    """
    data, root = yaml_file.read(path)
    return Place(str(path), 1, data, root)


def cluster_names(bootstrap: Place) -> frozenset[str]:
    """Return the names of the static clusters."""
    clusters = bootstrap.get("static_resources").each("clusters")
    return frozenset(cluster.text("name") for cluster in clusters) - {""}


def discovers_clusters(bootstrap: Place) -> bool:
    """Whether a control plane may add clusters (CDS)."""
    return bootstrap.get("dynamic_resources").get("cds_config").present


def discovers_listeners(bootstrap: Place) -> bool:
    """Whether a control plane may add listeners (LDS)."""
    return bootstrap.get("dynamic_resources").get("lds_config").present


def managers(bootstrap: Place) -> Iterator[Manager]:
    """Yield the connection managers of the static listeners."""
    for listener in bootstrap.get("static_resources").each("listeners"):
        for chain in (*listener.each("filter_chains"), listener.get("default_filter_chain")):
            for network_filter in chain.each("filters"):
                config = network_filter.get("typed_config")
                if config.kind() == MANAGER:
                    yield Manager(listener, config)


def ext_procs(place: Place) -> Iterator[Place]:
    """Yield the configs of all ext_proc filters below, wherever they stand."""
    return (message for message in place.messages() if message.kind() == EXT_PROC)
