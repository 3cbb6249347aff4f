"""`envoy/envoy.yaml`, moved to other addresses: the demo, the benchmark and the tests run the file that ships.

An address is written as in `extproc-router serve --listen`: `unix:/path` or `host:port`.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from extproc_router.envoyconf import render
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.config.loader import Config

REPOSITORY = Path(__file__).resolve().parents[2]
ENVOY_YAML = REPOSITORY / "envoy" / "envoy.yaml"
EXT_PROC = "envoy.filters.http.ext_proc"

Bootstrap: TypeAlias = dict[str, Any]


def load(path: Path = ENVOY_YAML) -> Bootstrap:
    """Read an Envoy bootstrap file.

    Raises:
        StartupError: it is missing, or no YAML mapping.
    """
    try:
        bootstrap = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartupError(f"cannot read {path}: {error.strerror}; run this from a clone of the repository") from error
    except yaml.YAMLError as error:
        raise StartupError(f"{path} is no YAML: {error}") from error
    if not isinstance(bootstrap, dict):
        raise StartupError(f"{path} is no Envoy bootstrap: a mapping is expected")
    return bootstrap


def rendered(config: Config, *, plain: bool = False) -> Bootstrap:
    """Return what `extproc-router envoy render` writes for a config."""
    bootstrap: Bootstrap = yaml.safe_load(render.bootstrap(config, plain=plain))
    return bootstrap


def has_cluster(bootstrap: Bootstrap, name: str) -> bool:
    """Whether a bootstrap declares a cluster of this name."""
    return any(cluster["name"] == name for cluster in bootstrap["static_resources"]["clusters"])


def save(bootstrap: Bootstrap, path: Path) -> Path:
    """Write a bootstrap where Envoy can read it; returns `path`."""
    path.write_text(yaml.safe_dump(bootstrap, sort_keys=False, width=120), encoding="utf-8")
    return path


def relocate(bootstrap: Bootstrap, *, listener: str, admin: str, clusters: Mapping[str, str]) -> Bootstrap:
    """Return a copy that listens and connects elsewhere, and is otherwise the same.

    Args:
        bootstrap: as `load` returned it; left alone.
        listener: address of its only listener.
        admin: address of the admin interface.
        clusters: cluster name -> address of its only endpoint; such a cluster becomes STATIC.

    Raises:
        StartupError: a name is no cluster of this file, or an address is none.
    """
    moved = deepcopy(bootstrap)
    known = {cluster["name"]: cluster for cluster in moved["static_resources"]["clusters"]}
    if unknown := sorted(clusters.keys() - known.keys()):
        raise StartupError(f"envoy.yaml has no cluster named {', '.join(unknown)}")
    moved["admin"]["address"] = address(admin)
    moved["static_resources"]["listeners"][0]["address"] = address(listener)
    for name, where in clusters.items():
        cluster = known[name]
        cluster["type"] = "STATIC"
        cluster.pop("dns_lookup_family", None)
        cluster["load_assignment"] = {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(where)}}]}],
        }
    return moved


def without_ext_proc(bootstrap: Bootstrap) -> Bootstrap:
    """Return a copy whose requests never see the router: the benchmark's baseline."""
    bare = deepcopy(bootstrap)
    for manager in _managers(bare):
        manager["http_filters"] = [item for item in manager["http_filters"] if item["name"] != EXT_PROC]
    return bare


def with_ext_proc(bootstrap: Bootstrap, **settings: object) -> Bootstrap:
    """Return a copy whose ext_proc filter has these settings, e.g. `failure_mode_allow=False`."""
    changed = deepcopy(bootstrap)
    for manager in _managers(changed):
        for item in manager["http_filters"]:
            if item["name"] == EXT_PROC:
                item["typed_config"].update(settings)
    return changed


def address(text: str) -> dict[str, Any]:
    """Write `unix:/path` or `host:port` as Envoy's `config.core.v3.Address`.

    Raises:
        StartupError: it is neither.
    """
    if text.startswith("unix:"):
        return {"pipe": {"path": text.removeprefix("unix:")}}
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise StartupError(f"not an address: {text!r}; write unix:/path or host:port")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}


def _managers(bootstrap: Bootstrap) -> Iterator[dict[str, Any]]:
    for listener in bootstrap["static_resources"]["listeners"]:
        for chain in listener["filter_chains"]:
            for network_filter in chain["filters"]:
                yield network_filter["typed_config"]
