"""Every door into Envoy: the connection managers of all listeners, and what passes none."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof import addresses, known, sockets
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.message import items, kind, members, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.config.loader import Config

_NETWORK = "envoy.extensions.filters.network."
MANAGER = f"{_NETWORK}http_connection_manager.v3.HttpConnectionManager"
_TCP_PROXY = f"{_NETWORK}tcp_proxy.v3.TcpProxy"
# They count, check and close connections.
_HARMLESS = frozenset(
    f"{_NETWORK}{name}"
    for name in (
        "connection_limit.v3.ConnectionLimit",
        "direct_response.v3.Config",
        "echo.v3.Echo",
        "local_ratelimit.v3.LocalRateLimit",
        "ratelimit.v3.RateLimit",
        "rbac.v3.RBAC",
    )
)
# They pick a chain, and all count; or tell whose the connection is.
_HARMLESS_LISTENER = frozenset(
    f"envoy.extensions.filters.listener.{name}"
    for name in (
        "http_inspector.v3.HttpInspector",
        "local_ratelimit.v3.LocalRateLimit",
        "original_dst.v3.OriginalDst",
        "original_src.v3.OriginalSrc",
        "proxy_protocol.v3.ProxyProtocol",
        "tls_inspector.v3.TlsInspector",
    )
)
_INTERNAL_LISTENER = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
_RE2 = "envoy.extensions.regex_engines.v3.GoogleRE2"
# Connections go on to the listener of the address that they were meant for, which PROXY protocol lets clients say.
_HANDS_ON = frozenset({"use_original_dst"})
_FEATURES = ("reloadable_features", "restart_features")


class Door(Struct, frozen=True):
    """What a listener hands connections to.

    Attributes:
        listener: its name.
        place: the config of a connection manager, or of a TCP proxy.
        is_http: which of both.
        asker: rank up to which the router itself sends requests here, for a language model to judge; None where
            others may send some.
    """

    listener: str
    place: Place
    is_http: bool
    asker: int | None


def askers(config: Config, tiers: tuple[str, ...]) -> dict[int, int]:
    """Return the ports on loopback at which a config asks language models -> the highest rank that is asked there."""
    found: dict[int, int] = {}
    for signal in config.written.signals:
        matcher = getattr(signal, "matcher", None)
        parts = urlsplit(matcher.url) if matcher is not None else None
        if parts is not None and matcher is not None and addresses.is_loopback(parts.hostname or ""):
            rank = 0 if matcher.privacy is None else tiers.index(matcher.privacy)
            port = parts.port or 80
            found[port] = max(rank, found.get(port, 0))
    return found


def doors(bootstrap: dict[str, Place], ports: Mapping[int, int]) -> tuple[list[Door], list[Doubt]]:
    """Find all doors, and what around them is not understood.

    Args:
        bootstrap: the file.
        ports: as `askers` returns them.
    """
    doubts = list(_around(bootstrap))
    static = members(bootstrap["static_resources"]) if "static_resources" in bootstrap else {}
    doubts += misread("static_resources", static, known.STATIC_RESOURCES)
    found: list[Door] = []
    listeners = items(static.get("listeners"))
    if any(members(place).keys() & _HANDS_ON for place in listeners):
        ports = {}
    for index, place in enumerate(listeners):
        said = members(place)
        name = place.text("name") or str(index)
        field = f"listeners.{name}"
        doubts += misread(field, said, known.LISTENER)
        for entry in items(said.get("listener_filters")):
            config = members(entry).get("typed_config")
            if kind(config) not in _HARMLESS_LISTENER:
                doubts.append(_unknown(f"{field}.listener_filters.{entry.text('name')}", entry, config))
        asker = _asker(said, ports)
        for door in _doors(field, said):
            if isinstance(door, Doubt):
                doubts.append(door)
            else:
                found.append(Door(name, door, kind(door) == MANAGER, asker))
    return found, doubts


def _around(bootstrap: dict[str, Place]) -> Iterator[Doubt]:
    """Yield what of the whole file is not understood."""
    yield from misread("bootstrap", bootstrap, known.BOOTSTRAP)
    dynamic = members(bootstrap["dynamic_resources"]) if "dynamic_resources" in bootstrap else {}
    yield from misread("dynamic_resources", dynamic, known.DYNAMIC_RESOURCES)
    runtime = members(bootstrap["layered_runtime"]) if "layered_runtime" in bootstrap else {}
    for layer in items(runtime.get("layers")):
        said = members(layer)
        yield from misread("layered_runtime", said, known.RUNTIME_LAYER)
        for name in strings(said["static_layer"].value) if "static_layer" in said else ():
            if any(feature in name for feature in _FEATURES):
                yield Doubt(layer, "layered_runtime", f"{name} changes how Envoy reads this file")
    for extension in items(bootstrap.get("bootstrap_extensions")):
        config = members(extension).get("typed_config")
        if kind(config) != _INTERNAL_LISTENER:
            yield _unknown(f"bootstrap_extensions.{extension.text('name')}", extension, config)
    engine = bootstrap.get("default_regex_engine")
    if engine is not None and kind(members(engine).get("typed_config")) != _RE2:
        yield Doubt(engine, "default_regex_engine", "regular expressions mean something else there")


def _unknown(field: str, place: Place, config: Place | None) -> Doubt:
    return Doubt(place, field, f"{kind(config).rpartition('.')[2] or '?'} is not understood")


def _doors(field: str, said: dict[str, Place]) -> Iterator[Place | Doubt]:
    chains = items(said.get("filter_chains"))
    if "default_filter_chain" in said:
        chains.append(said["default_filter_chain"])
    for chain in chains:
        inner = members(chain)
        yield from misread(f"{field}.filter_chains", inner, known.FILTER_CHAIN)
        yield from sockets.doubts(f"{field}.filter_chains", inner)
        for entry in items(inner.get("filters")):
            config = members(entry).get("typed_config")
            if config is not None and kind(config) in (MANAGER, _TCP_PROXY):
                yield config
            elif kind(config) not in _HARMLESS:
                yield _unknown(f"{field}.filters.{entry.text('name')}", entry, config)
    if "api_listener" in said:
        api = members(said["api_listener"]).get("api_listener")
        if api is not None and kind(api) == MANAGER:
            yield api
        else:
            yield Doubt(said["api_listener"], f"{field}.api_listener", "is not understood")


def _asker(said: dict[str, Place], ports: Mapping[int, int]) -> int | None:
    """Return the rank up to which the router asks at a listener that nobody else can reach; None for any other."""
    stands = addresses.addresses(said)
    asked = [ports.get(port) for port in map(_loopback_port, stands) if port is not None]
    ranks = [rank for rank in asked if rank is not None]
    return max(ranks) if ranks and len(ranks) == len(stands) else None


def _loopback_port(address: Place) -> int | None:
    place = members(address).get("socket_address")
    found = addresses.socket(place) if place else None
    return found.port if found and addresses.is_loopback(found.host) else None


def tcp_clusters(place: Place) -> tuple[list[str], list[Doubt]]:
    """Return the clusters that a TCP proxy leads to, and what of it is not understood."""
    said = members(place)
    doubts = list(misread("tcp_proxy", said, known.TCP_PROXY))
    names = [text(said["cluster"])] if "cluster" in said else []
    weighted = members(said["weighted_clusters"]) if "weighted_clusters" in said else {}
    doubts += misread("tcp_proxy.weighted_clusters", weighted, known.TCP_WEIGHTED_CLUSTER)
    for entry in items(weighted.get("clusters")):
        doubts += misread("tcp_proxy.weighted_clusters", members(entry), known.TCP_CLUSTER_WEIGHT)
        names.append(entry.text("name"))
    return names, doubts
