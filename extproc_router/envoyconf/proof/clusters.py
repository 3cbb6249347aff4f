"""Which servers a cluster's name stands for: itself, its members, its mirrors, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.proof import addresses, known, sockets, upstream
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.message import entries, items, kind, members, snake, strange, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.place import Place
    from extproc_router.envoyconf.proof.addresses import Own

_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_TCP_OPTIONS = "envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions"
_AGGREGATE = "envoy.extensions.clusters.aggregate.v3.ClusterConfig"
_COMPOSITE = "envoy.extensions.clusters.composite.v3.ClusterConfig"
_DNS = "envoy.extensions.clusters.dns.v3.DnsCluster"
_OWN_SERVERS = frozenset({"", "STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS"})
_FIXED = frozenset({"", "STATIC", "STRICT_DNS", "LOGICAL_DNS"})
_NUMBERED = ("STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST")
_MAX_DEPTH = 16


class Server(Struct, frozen=True):
    """What a cluster may send to.

    Attributes:
        name: of the cluster that has the endpoints; empty where only doubts are known.
        via: words for the way there, from the name that was asked for.
        doubts: what is not understood on that way.
        rewrites: whether filters of its own may show it another path, or host.
    """

    name: str
    via: tuple[str, ...]
    doubts: tuple[Doubt, ...] = ()
    rewrites: bool = False


class Clusters:
    """The clusters of a bootstrap file.

    Args:
        bootstrap: what it says.
    """

    def __init__(self, bootstrap: dict[str, Place]) -> None:
        static, dynamic = bootstrap.get("static_resources"), bootstrap.get("dynamic_resources")
        resources = members(static) if static else {}
        self._own = addresses.of(resources.get("listeners"))
        self._declared: dict[str, list[Place]] = {}
        for place in items(resources.get("clusters")):
            self._declared.setdefault(place.text("name"), []).append(place)
        discovered = members(dynamic) if dynamic else {}
        self._discovers = next((discovered[name] for name in discovered if name.startswith("cds_")), None)
        self._known: dict[str, tuple[Server, ...]] = {}
        self.verifiers = tuple(self._verifiers())

    def __len__(self) -> int:
        return len(self._declared)

    def servers(self, name: str) -> tuple[Server, ...]:
        """Return all that may be sent to under a name, on any attempt; nothing where Envoy has no server for it."""
        if name not in self._known:
            self._known[name] = tuple(self._find(name, (), frozenset()))
        return self._known[name]

    def hosts(self, name: str) -> frozenset[str]:
        """Return the hosts of a cluster's servers, `localhost` for a unix socket; none where some are unknown."""
        places = self._declared.get(name, [])
        said = members(places[0]) if len(places) == 1 else {}
        elsewhere = any(part == "leds_cluster_locality_config" for part in _spelled(said.get("load_assignment")))
        if elsewhere or _shape(said) != "servers" or _type(said) not in _FIXED:
            return frozenset()
        return frozenset(addresses.hosts(said["load_assignment"])) if "load_assignment" in said else frozenset()

    def _verifiers(self) -> Iterator[tuple[str, Place]]:
        """Yield the filters of clusters that ask somebody, with the names of the clusters."""
        for name, places in self._declared.items():
            for place in places:
                for _, filters in _filters(members(place)):
                    yield from ((f"clusters.{name}", config) for config in upstream.verifiers(filters))

    def _find(self, name: str, via: tuple[str, ...], above: frozenset[str]) -> Iterator[Server]:
        places = self._declared.get(name, [])
        if not places:
            # Envoy answers 503 where nobody declares a cluster.
            if self._discovers:
                doubt = Doubt(self._discovers, "dynamic_resources.cds_config", f"cluster {name!r} may be discovered")
                yield Server("", via, (doubt,))
            return
        place, said = places[0], members(places[0])
        if name in above or len(above) > _MAX_DEPTH or len(places) > 1:
            yield Server("", via, (Doubt(place, f"clusters.{name}", "it is declared twice, or holds itself"),))
            return
        doubts = list(_doubts(name, place, said, self._own))
        mirrors = []
        for key, option in entries(said.get("typed_extension_protocol_options")):
            found, mirrored = _options(f"clusters.{name}.{key}", option)
            doubts += found
            mirrors += mirrored
        shape = _shape(said)
        inside = above | {name}
        if shape == "servers":
            rewrites = any(upstream.rewrites(filters) for _, filters in _filters(said))
            yield Server(name, via, tuple(doubts), rewrites)
        elif isinstance(shape, tuple):
            yield from (Server("", via, (doubt,)) for doubt in doubts)
            for member in shape:
                yield from self._find(member, (*via, f"cluster {name}"), inside)
        elif shape:
            yield Server("", via, (*doubts, Doubt(place, f"clusters.{name}", shape)))
        for mirror in mirrors:
            yield from self._find(mirror, (*via, f"cluster {name}", "mirror"), inside)


def _doubts(name: str, place: Place, said: dict[str, Place], own: Own) -> Iterator[Doubt]:
    yield from misread(f"clusters.{name}", said, known.CLUSTER)
    yield from sockets.doubts(f"clusters.{name}", said)
    endpoints = said.get("load_assignment")
    if endpoints is None:
        return
    if any(part in ("envoy_internal_address", "envoyInternalAddress") for part in strings(endpoints.value)):
        yield Doubt(place, f"clusters.{name}", "it leads to an internal listener, where a request is another one")
    if own.reached(endpoints):
        yield Doubt(place, f"clusters.{name}", "it leads to a listener of this Envoy, where a request is another one")


def _shape(said: dict[str, Place]) -> str | tuple[str, ...]:
    """Say what a cluster is: `servers`, the names of its members, nothing (no server, ever), or why nobody knows."""
    custom = said.get("cluster_type")
    if custom is not None:
        return _custom(custom)
    written = _type(said)
    if not isinstance(written, str) or written not in _OWN_SERVERS:
        return f"where a cluster of the type {written} leads depends on the request"
    return "" if written in ("", "STATIC") and _is_empty(said) else "servers"


def _type(said: dict[str, Place]) -> object:
    written = said["type"].value if "type" in said else ""
    if isinstance(written, int) and not isinstance(written, bool) and 0 <= written < len(_NUMBERED):
        return _NUMBERED[written]
    return written


def _spelled(place: Place | None) -> Iterator[str]:
    return (snake(part) for part in strings(place.value)) if place else iter(())


def _custom(place: Place) -> str | tuple[str, ...]:
    config = members(place).get("typed_config")
    type_name, said = kind(config), members(config) if config else {}
    said.pop("@type", None)
    if type_name == _AGGREGATE and said.keys() == {"clusters"} and isinstance(said["clusters"].value, list):
        return tuple(str(name) for name in said["clusters"].value)
    if type_name == _COMPOSITE and said.keys() == {"clusters"}:
        return tuple(entry.text("name") for entry in items(said["clusters"]))
    if type_name == _DNS:
        return "servers"
    return f"a cluster of the type {place.text('name') or type_name or '?'} is not understood"


def _is_empty(said: dict[str, Place]) -> bool:
    """Whether a static cluster has no endpoint, and never will."""
    assignment = members(said["load_assignment"]) if "load_assignment" in said else {}
    groups = [members(group) for group in items(assignment.get("endpoints"))]
    return not (
        any(strange(assignment, known.LOAD_ASSIGNMENT))
        or any(group.keys() & known.LOCALITY.read or any(strange(group, known.LOCALITY)) for group in groups)
    )


def _options(field: str, place: Place) -> tuple[list[Doubt], list[str]]:
    """Return what is not understood in one of a cluster's protocol options, and the clusters that it mirrors to."""
    if kind(place) == _TCP_OPTIONS:
        return [], []
    if kind(place) != _PROTOCOL_OPTIONS:
        return [Doubt(place, field, "is not understood")], []
    said = members(place)
    doubts = list(misread(field, said, known.PROTOCOL_OPTIONS))
    doubts += upstream.doubts(field, said.get("http_filters"), own=True)
    mirrors = []
    for policy in items(said.get("request_mirror_policies")):
        mirror = members(policy)
        if set(mirror) - known.MIRROR_POLICY.harmless == {"cluster"}:
            mirrors.append(text(mirror["cluster"]))
        else:
            doubts.append(Doubt(policy, f"{field}.request_mirror_policies", "is not understood"))
    return doubts, mirrors


def _filters(said: dict[str, Place]) -> Iterator[tuple[str, Place | None]]:
    """Yield the lists of HTTP filters of a cluster, with the names of the options that have them."""
    for key, option in entries(said.get("typed_extension_protocol_options")):
        yield key, members(option).get("http_filters")
