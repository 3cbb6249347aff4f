"""Where a route may send a request: its clusters, on any attempt, and its mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof import filters, known, mutations
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.filters import Chain
from extproc_router.envoyconf.proof.message import items, kind, members, text

if TYPE_CHECKING:
    from collections.abc import Iterator


_WEBSOCKET = "websocket"
_REWRITES = frozenset({
    "prefix_rewrite", "regex_rewrite", "path_rewrite", "path_rewrite_policy", "host_rewrite", "host_rewrite_literal",
    "host_rewrite_header", "host_rewrite_path_regex",
})  # fmt: skip
_PRIORITY_GROUPS = "envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier"


class Target(Struct, frozen=True):
    """A place where a route may send a request.

    Attributes:
        via: words for the way there, e.g. `mirror`; empty for the route's own cluster.
        cluster: its name; empty where a header has it.
        header: the header that has it, lower case.
        chain: whether it is the chain that the router wrote for the request, in metadata; then there is no cluster.
        spare: whether it counts only where no chain can be read.
    """

    via: str = ""
    cluster: str = ""
    header: str = ""
    chain: bool = False
    spare: bool = False


class Action(Struct, frozen=True):
    """What a route does with a request: nothing reaches a server where there is neither a target nor a doubt.

    Attributes:
        targets: where it sends it.
        doubts: what is not understood.
        rewrites: whether servers see another path, or host, than the one that routes have seen.
    """

    targets: tuple[Target, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    rewrites: bool = False


class Scope(Struct, frozen=True):
    """What a route takes over from what is above it.

    Attributes:
        field: name of the virtual host in messages.
        chain: the filters that run.
        plugins: cluster specifiers of the route configuration, by name.
        mirrors: of the virtual host and the route configuration.
        guards: whether what goes on unread is a leak.
    """

    field: str
    chain: Chain
    plugins: Mapping[str, Place]
    mirrors: tuple[Target, ...] = ()
    guards: bool = False


def read(field: str, place: Place, said: dict[str, Place], scope: Scope) -> Action:
    """Read what a route does.

    Args:
        field: its name in messages.
        place: the route.
        said: the same, as `members` reads it.
        scope: what is above it.
    """
    doubts = [*misread(field, said, known.ROUTE), *mutations.late(field, said)]
    doubts += filters.per_route(field, said, scope.chain)
    if "route" not in said:
        # A redirect tells the client where to go; a direct response is Envoy's own.
        if not said.keys() & {"redirect", "direct_response"}:
            doubts.append(Doubt(place, field, "it does not say what becomes of requests"))
        return Action((), tuple(doubts))
    action = members(said["route"])
    doubts += misread(f"{field}.route", action, known.ROUTE_ACTION)
    if "retry_policy" in action:
        doubts += misread(f"{field}.route.retry_policy", members(action["retry_policy"]), known.RETRY_POLICY)
    doubts += upgrades(f"{field}.route", action, guards=scope.guards)
    found = [*_clusters(field, action, scope), *mirrors(field, action)]
    targets = tuple(target for target in found if isinstance(target, Target))
    doubts += [doubt for doubt in found if isinstance(doubt, Doubt)]
    if not targets and not doubts:
        doubts.append(Doubt(said["route"], field, "it does not say where requests go"))
    weighted = items(members(action["weighted_clusters"]).get("clusters")) if "weighted_clusters" in action else []
    rewrites = any(_REWRITES & said.keys() for said in (action, *map(members, weighted)))
    return Action((*targets, *scope.mirrors), tuple(doubts), rewrites)


def mirrors(field: str, said: dict[str, Place]) -> Iterator[Target | Doubt]:
    """Yield the clusters that get a copy of each request."""
    for place in items(said.get("request_mirror_policies")):
        policy = members(place)
        yield from misread(f"{field}.request_mirror_policies", policy, known.MIRROR_POLICY)
        yield from _named(policy, "cluster", "mirror")


def upgrades(field: str, said: dict[str, Place], *, guards: bool) -> Iterator[Doubt]:
    """Yield what lets a connection change its protocol: what comes then, nobody reads."""
    for place in items(said.get("upgrade_configs")):
        upgrade = members(place)
        if (guards and _is_on(upgrade)) or "filters" in upgrade:
            yield Doubt(place, f"{field}.upgrade_configs", "the router does not read what comes after an upgrade")


def tunnels(field: str, said: dict[str, Place]) -> Iterator[Doubt]:
    """Yield the upgrades behind which any other request may come: all, CONNECT and h2c among them, but websockets."""
    for place in items(said.get("upgrade_configs")):
        upgrade = members(place)
        if _is_on(upgrade) and text(upgrade.get("upgrade_type")).lower() != _WEBSOCKET:
            why = "in such a tunnel come requests of any tier, and nobody reads them: take it out"
            yield Doubt(place, f"{field}.upgrade_configs", why)


def _is_on(upgrade: dict[str, Place]) -> bool:
    return "enabled" not in upgrade or upgrade["enabled"].truth() is not False


def _named(said: dict[str, Place], name: str, via: str) -> Iterator[Target]:
    """Yield what a message names directly, and by a header."""
    if name in said:
        yield Target(via, cluster=text(said[name]))
    if "cluster_header" in said:
        yield Target(via, header=text(said["cluster_header"]).lower())


def _clusters(field: str, action: dict[str, Place], scope: Scope) -> Iterator[Target | Doubt]:
    yield from _named(action, "cluster", "")
    if "weighted_clusters" in action:
        yield from _weighted(f"{field}.route.weighted_clusters", members(action["weighted_clusters"]), scope)
    if "inline_cluster_specifier_plugin" in action:
        yield from _plugin(field, action["inline_cluster_specifier_plugin"], scope)
    if "cluster_specifier_plugin" in action:
        place = action["cluster_specifier_plugin"]
        plugin = scope.plugins.get(text(place))
        if plugin is None:
            yield Doubt(place, field, f"there is no cluster specifier {text(place)!r}")
        else:
            yield from _plugin(field, plugin, scope)


def _weighted(field: str, said: dict[str, Place], scope: Scope) -> Iterator[Target | Doubt]:
    yield from misread(field, said, known.WEIGHTED_CLUSTER)
    for place in items(said.get("clusters")):
        entry = members(place)
        if "weight" in entry and entry["weight"].whole() == 0 and "runtime_key_prefix" not in said:
            continue
        yield from misread(field, entry, known.CLUSTER_WEIGHT)
        yield from mutations.late(field, entry)
        yield from filters.per_route(field, entry, scope.chain)
        yield from _named(entry, "name", "")


def _plugin(field: str, place: Place, scope: Scope) -> Iterator[Target | Doubt]:
    """Read a cluster specifier; the groups of `priority_group` count where the router's own chain is malformed."""
    plugin = members(place)
    yield from misread(field, plugin, known.PLUGIN)
    extension = members(plugin["extension"]) if "extension" in plugin else {}
    config = extension.get("typed_config")
    if kind(config) != _PRIORITY_GROUPS or config is None:
        yield Doubt(place, field, f"a cluster specifier of the type {kind(config).rpartition('.')[2] or '?'}")
        return
    said = members(config)
    yield from misread(field, said, known.PRIORITY_GROUPS)
    namespace = text(said.get("override_metadata_namespace"))
    if namespace:
        if namespace not in scope.chain.namespaces:
            yield Doubt(config, field, f"others than the router may choose clusters by the metadata {namespace!r}")
        yield Target(chain=True)
    for group in items(said.get("priority_groups")):
        entry = members(group)
        yield from misread(field, entry, known.PRIORITY_GROUP)
        for cluster in items(entry.get("clusters")):
            yield from misread(field, members(cluster), known.PRIORITY_GROUP_CLUSTER)
            via, name = f"priority group {group.text('name')}", cluster.text("cluster_name")
            yield Target(via, cluster=name, spare=bool(namespace))


def plugins(said: dict[str, Place]) -> dict[str, Place]:
    """Return the cluster specifiers that a route configuration declares, by name."""
    found: dict[str, Place] = {}
    for place in items(said.get("cluster_specifier_plugins")):
        extension = members(place).get("extension")
        if extension is not None:
            found[extension.text("name")] = place
    return found
