"""A route -> the clusters that its requests may reach, on any attempt, mirrors included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.hunt.envoy_matchers import only

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from extproc_router.lab.hunt.envoy_matchers import Headers, Message

_ACTION = frozenset(
    {
        "cluster", "cluster_header", "weighted_clusters", "cluster_specifier_plugin", "inline_cluster_specifier_plugin",
        "request_mirror_policies", "retry_policy", "timeout", "idle_timeout",
    }
)  # fmt: skip
# A retry keeps the cluster that the route chose, unless one of the others is set.
_RETRY = frozenset(
    {
        "retry_on", "num_retries", "retriable_status_codes", "retriable_headers", "retry_back_off", "per_try_timeout",
        "retry_host_predicate", "host_selection_retry_max_attempts", "refresh_cluster_on_retry",
    }
)  # fmt: skip
_CLUSTER = frozenset(
    {
        "name", "type", "connect_timeout", "dns_lookup_family", "load_assignment", "lb_policy", "cluster_type",
        "circuit_breakers", "health_checks", "outlier_detection", "typed_extension_protocol_options",
    }
)  # fmt: skip
_CHAINS = {"envoy.clusters.aggregate", "envoy.clusters.composite"}
_PRIORITY_GROUP = "envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier"
_DEPTH = 8  # of clusters that are made of others


def reached(
    action: Message,
    mirrors: tuple[Message, ...],
    headers: tuple[Headers, Headers],
    clusters: Mapping[str, Message],
    groups: Mapping[str, tuple[str, ...]],
) -> frozenset[str]:
    """Return the clusters with servers that a request on this route may reach.

    Args:
        action: `config.route.v3.RouteAction`.
        mirrors: policies of the virtual host or the route configuration, which hold where the action has none.
        headers: of the request, when its route was chosen, and when it is forwarded: mirrors are chosen then.
        clusters: by name.
        groups: namespace of metadata -> the clusters of the priority groups that stand there.
    """
    only(action, _ACTION, "RouteAction")
    retry = action.get("retry_policy", {})
    only(retry, _RETRY, "RetryPolicy")
    if retry.get("refresh_cluster_on_retry") and not _plugins(action):
        raise NotImplementedError("RetryPolicy: refresh_cluster_on_retry")
    found = {leaf for name in _named(action, headers[0], groups) for leaf in leaves(name, clusters)}
    if not found:  # no server: Envoy answers before it mirrors
        return frozenset()
    for policy in action.get("request_mirror_policies") or mirrors:
        only(policy, frozenset({"cluster", "cluster_header", "runtime_fraction"}), "RequestMirrorPolicy")
        if policy.get("runtime_fraction", {}).get("default_value", {}).get("numerator", 1):
            found.update(leaf for name in _one(policy, headers[1]) for leaf in leaves(name, clusters))
    return frozenset(found)


def leaves(name: str, clusters: Mapping[str, Message], depth: int = _DEPTH) -> Iterator[str]:
    """Yield the clusters with servers that a cluster stands for; none where no cluster has this name."""
    cluster = clusters.get(name)
    if cluster is None:
        return
    only(cluster, _CLUSTER, "Cluster")
    if not depth:
        raise NotImplementedError("clusters that hold themselves")
    if "cluster_type" in cluster:
        if cluster["cluster_type"]["name"] not in _CHAINS:
            raise NotImplementedError("cluster_type")
        for member in cluster["cluster_type"]["typed_config"]["clusters"]:
            yield from leaves(member if isinstance(member, str) else member["name"], clusters, depth - 1)
        return
    if cluster.get("type", "STATIC") not in {"STATIC", "STRICT_DNS", "LOGICAL_DNS"}:
        raise NotImplementedError("discovery type")
    if any(group.get("lb_endpoints") for group in cluster.get("load_assignment", {}).get("endpoints", ())):
        yield name


def clusters_of(priority_groups: Iterable[Message]) -> tuple[str, ...]:
    """Return the names of the clusters in priority groups."""
    return tuple(cluster["cluster_name"] for group in priority_groups for cluster in group["clusters"])


def _named(action: Message, headers: Headers, groups: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if "weighted_clusters" in action:
        only(action["weighted_clusters"], frozenset({"clusters"}), "WeightedCluster")
        for cluster in action["weighted_clusters"]["clusters"]:
            only(cluster, frozenset({"name", "cluster_header", "weight"}), "ClusterWeight")
            if cluster.get("weight"):
                yield from _one({"cluster": cluster["name"]} if "name" in cluster else cluster, headers)
        return
    for plugin in _plugins(action):
        config = plugin["extension"]["typed_config"]
        if not config["@type"].endswith(_PRIORITY_GROUP):
            raise NotImplementedError("a cluster specifier plugin")
        # Its own groups count where there is no metadata.
        told = groups.get(config.get("override_metadata_namespace", ""))
        yield from told or clusters_of(config["priority_groups"])
    yield from _one(action, headers)


def _plugins(action: Message) -> list[Message]:
    if "cluster_specifier_plugin" in action:
        raise NotImplementedError("a cluster specifier plugin that stands elsewhere")
    return [action[key] for key in ("inline_cluster_specifier_plugin",) if key in action]


def _one(message: Message, headers: Headers) -> Iterator[str]:
    """Yield the cluster that a message names, or the first value of the header that it names."""
    if "cluster" in message:
        yield message["cluster"]
    elif "cluster_header" in message:
        yield from headers.get(message["cluster_header"].lower(), ())[:1]
