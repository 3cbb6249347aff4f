"""A field that Envoy's protos have and these tables do not name fails here, until somebody has said what it may do."""

from __future__ import annotations

import dataclasses
from importlib import import_module

import pytest

from extproc_router.envoyconf.proof import known
from extproc_router.envoyconf.proof.message import Known

_CONFIG = "envoy.config"
_HTTP = "envoy.extensions.filters.http"
_NETWORK = "envoy.extensions.filters.network"
MESSAGES = {
    "BOOTSTRAP": (f"{_CONFIG}.bootstrap.v3", "Bootstrap"),
    "STATIC_RESOURCES": (f"{_CONFIG}.bootstrap.v3", "BootstrapStaticResources"),
    "DYNAMIC_RESOURCES": (f"{_CONFIG}.bootstrap.v3", "BootstrapDynamicResources"),
    "RUNTIME_LAYER": (f"{_CONFIG}.bootstrap.v3", "RuntimeLayer"),
    "LISTENER": (f"{_CONFIG}.listener.v3", "Listener"),
    "FILTER_CHAIN": (f"{_CONFIG}.listener.v3", "FilterChain"),
    "MANAGER": (f"{_NETWORK}.http_connection_manager.v3", "HttpConnectionManager"),
    "HTTP_FILTER": (f"{_NETWORK}.http_connection_manager.v3", "HttpFilter"),
    "FILTER_CONFIG": (f"{_CONFIG}.route.v3", "FilterConfig"),
    "ROUTE_CONFIGURATION": (f"{_CONFIG}.route.v3", "RouteConfiguration"),
    "VIRTUAL_HOST": (f"{_CONFIG}.route.v3", "VirtualHost"),
    "ROUTE": (f"{_CONFIG}.route.v3", "Route"),
    "MATCH": (f"{_CONFIG}.route.v3", "RouteMatch"),
    "HEADER_MATCHER": (f"{_CONFIG}.route.v3", "HeaderMatcher"),
    "STRING_MATCHER": ("envoy.type.matcher.v3", "StringMatcher"),
    "ROUTE_ACTION": (f"{_CONFIG}.route.v3", "RouteAction"),
    "RETRY_POLICY": (f"{_CONFIG}.route.v3", "RetryPolicy"),
    "WEIGHTED_CLUSTER": (f"{_CONFIG}.route.v3", "WeightedCluster"),
    "CLUSTER_WEIGHT": (f"{_CONFIG}.route.v3", "WeightedClusterClusterWeight"),
    "MIRROR_POLICY": (f"{_CONFIG}.route.v3", "RouteActionRequestMirrorPolicy"),
    "PLUGIN": (f"{_CONFIG}.route.v3", "ClusterSpecifierPlugin"),
    "CLUSTER": (f"{_CONFIG}.cluster.v3", "Cluster"),
    "LOAD_ASSIGNMENT": (f"{_CONFIG}.endpoint.v3", "ClusterLoadAssignment"),
    "LOCALITY": (f"{_CONFIG}.endpoint.v3", "LocalityLbEndpoints"),
    "PROTOCOL_OPTIONS": ("envoy.extensions.upstreams.http.v3", "HttpProtocolOptions"),
    "EXT_PROC": (f"{_HTTP}.ext_proc.v3", "ExternalProcessor"),
    "EXT_PROC_PER_ROUTE": (f"{_HTTP}.ext_proc.v3", "ExtProcPerRoute"),
    "EXT_PROC_OVERRIDES": (f"{_HTTP}.ext_proc.v3", "ExtProcOverrides"),
    "ROUTER": (f"{_HTTP}.router.v3", "Router"),
    "LUA": (f"{_HTTP}.lua.v3", "Lua"),
    "TCP_PROXY": (f"{_NETWORK}.tcp_proxy.v3", "TcpProxy"),
    "TCP_WEIGHTED_CLUSTER": (f"{_NETWORK}.tcp_proxy.v3", "TcpProxyWeightedCluster"),
    "TCP_CLUSTER_WEIGHT": (f"{_NETWORK}.tcp_proxy.v3", "TcpProxyWeightedClusterClusterWeight"),
    "HEADER_MUTATION_FILTER": (f"{_HTTP}.header_mutation.v3", "HeaderMutation"),
    "HEADER_MUTATION_PER_ROUTE": (f"{_HTTP}.header_mutation.v3", "HeaderMutationPerRoute"),
    "HEADER_MUTATIONS": (f"{_HTTP}.header_mutation.v3", "Mutations"),
    "HEADER_MUTATION": (f"{_CONFIG}.common.mutation_rules.v3", "HeaderMutation"),
}
# Not in envoy-data-plane.
BY_HAND = {"PRIORITY_GROUPS", "PRIORITY_GROUP", "PRIORITY_GROUP_CLUSTER"}
TABLES = {name: table for name, table in vars(known).items() if isinstance(table, Known)}


def test_every_table_is_held_against_a_message() -> None:
    assert TABLES.keys() == MESSAGES.keys() | BY_HAND


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_of_envoys_is_classified(name: str) -> None:
    module, message = MESSAGES[name]
    fields = {field.name for field in dataclasses.fields(getattr(import_module(f"envoy_data_plane.{module}"), message))}
    table = TABLES[name]
    assert table.read | table.harmless | table.refused == fields


@pytest.mark.parametrize("name", TABLES)
def test_no_field_is_classified_twice(name: str) -> None:
    table = TABLES[name]
    assert len(table.read) + len(table.harmless) + len(table.refused) == len(
        table.read | table.harmless | table.refused
    )
