"""What the hunt's Envoy files are put together from, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Part: TypeAlias = dict[str, Any]

NOWHERE = "nowhere"
"""The cluster without servers."""
ROUTER = "extproc_router"
"""The cluster of the router itself."""
CHAIN = "extproc_router.chain"
"""The metadata in which the router tells a chain."""
EXT_PROC = "envoy.filters.http.ext_proc"
_TYPES = "type.googleapis.com/envoy."


def typed(name: str, type_: str, **members: Any) -> Part:  # noqa: ANN401 - plain data
    """Return an extension: its name, and its config as an `Any` of `type_`, written without `envoy.`."""
    return {"name": name, "typed_config": {"@type": f"{_TYPES}{type_}", **members}}


def listener(name: str, manager: Part) -> Part:
    """Return a listener on a free port of loopback (`envoy_real` gives it one)."""
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{"name": "envoy.filters.network.http_connection_manager", **manager}]}],
    }


def manager(early: Sequence[Part], hosts: Sequence[Part], filters: Sequence[Part], **members: Any) -> Part:  # noqa: ANN401
    """Return a connection manager."""
    config = typed(
        "",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="llm",
        early_header_mutation_extensions=[
            typed(
                "envoy.http.early_header_mutation.header_mutation",
                "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                mutations=list(early),
            )
        ]
        if early
        else [],
        route_config={"name": "llm", "virtual_hosts": list(hosts)},
        http_filters=[*filters, typed("envoy.filters.http.router", "extensions.filters.http.router.v3.Router")],
        **members,
    )
    return {"typed_config": config["typed_config"]}


def ext_proc(*, failure_mode_allow: bool) -> Part:
    """Return the router's filter, as envoy/envoy.yaml has it."""
    return typed(
        EXT_PROC,
        "extensions.filters.http.ext_proc.v3.ExternalProcessor",
        grpc_service={"envoy_grpc": {"cluster_name": ROUTER}, "timeout": "0s"},
        failure_mode_allow=failure_mode_allow,
        message_timeout="0.25s",
        processing_mode={
            "request_header_mode": "SEND",
            "request_body_mode": "BUFFERED",
            "request_trailer_mode": "SKIP",
            "response_header_mode": "SKIP",
            "response_body_mode": "NONE",
            "response_trailer_mode": "SKIP",
        },
        allow_mode_override=True,
        mutation_rules={
            "disallow_all": True,
            "allow_expression": {
                "regex": "^(x-selected-cluster|x-llm-decision|x-llm-chain|x-envoy-max-retries|content-length)$"
            },
        },
        metadata_options={"receiving_namespaces": {"untyped": [CHAIN]}},
    )


def unasked() -> Part:
    """Return the members of a route, virtual host or route configuration that pass the router by."""
    config = typed("", "extensions.filters.http.ext_proc.v3.ExtProcPerRoute", disabled=True)["typed_config"]
    return {"typed_per_filter_config": {EXT_PROC: config}}


def chain(kind: str, name: str, members: Iterable[str]) -> Part:
    """Return a cluster of clusters; `kind` is `aggregate` or `composite`."""
    written = [{"name": member} for member in members] if kind == "composite" else list(members)
    config = typed(f"envoy.clusters.{kind}", f"extensions.clusters.{kind}.v3.ClusterConfig", clusters=written)
    return {"name": name, "connect_timeout": "1s", "lb_policy": "CLUSTER_PROVIDED", "cluster_type": config}


def groups(clusters: Iterable[str], **more: str) -> Part:
    """Return the cluster specifier that walks priority groups, one for each cluster, with further members."""
    config = typed(
        "envoy.router.cluster_specifier_plugin.priority_group",
        "extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier",
        priority_groups=[
            {"name": f"g{place}", "clusters": [{"cluster_name": name, "weight": 1}]}
            for place, name in enumerate(clusters)
        ],
        **more,
    )
    return {"inline_cluster_specifier_plugin": {"extension": config}}


def server(name: str) -> Part:
    """Return a cluster of one server (`envoy_real` gives it one)."""
    endpoint = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9}}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]},
    }


def router_cluster() -> Part:
    """Return the router's own cluster."""
    options = {
        "@type": f"{_TYPES}extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        **server(ROUTER),
        "connect_timeout": "0.25s",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
    }


def bootstrap(listeners: Sequence[Part], clusters: Sequence[Part]) -> Part:
    """Return a file with the router's cluster, the one without servers, and these."""
    nowhere = {"name": NOWHERE, "type": "STATIC"}
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "static_resources": {"listeners": list(listeners), "clusters": [router_cluster(), nowhere, *clusters]},
    }


def managers(file: Mapping[str, Any]) -> list[Part]:
    """Return the configs of the connection managers; a file of `bootstrap`, before its spelling changes."""
    return [
        network_filter["typed_config"]
        for each in file["static_resources"]["listeners"]
        for filter_chain in each["filter_chains"]
        for network_filter in filter_chain["filters"]
        if "http_filters" in network_filter["typed_config"]
    ]


def hosts(file: Mapping[str, Any]) -> list[Part]:
    """Return all virtual hosts."""
    return [host for config in managers(file) for host in config["route_config"]["virtual_hosts"]]


def routes(file: Mapping[str, Any]) -> list[Part]:
    """Return all routes."""
    return [route for host in hosts(file) for route in host["routes"]]
