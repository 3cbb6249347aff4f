"""What `render` writes with constructs that no proof may pass over: a model of them would have to be Envoy itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.envoy_broken import (
    BLOCKING,
    OPEN,
    RESTRICTING,
    Mutant,
    adds,
    both,
    clusters,
    manager,
    route,
    routes,
)

if TYPE_CHECKING:
    from extproc_router.lab.hunt.envoy_broken import Edit
    from extproc_router.lab.hunt.envoy_parts import Part

_ALL = {"prefix": "/"}
_DISCOVERED = {"resource_api_version": "V3", "ads": {}}
_LUA = 'function envoy_on_request(handle) handle:headers():replace("x-selected-cluster", "openai") end'


def _manages(**members: Any) -> Edit:  # noqa: ANN401 - plain data
    return lambda file: manager(file).update(members)


def _filtered(added: Part, place: int = 0) -> Edit:
    return lambda file: manager(file)["http_filters"].insert(place, added)


def _clustered(**members: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the private route lead to a cluster like this."""

    def edit(file: Part) -> None:
        route(file, "private_undecided")["route"] = {"cluster": "odd"}
        clusters(file).append({"name": "odd", "connect_timeout": "1s", **members})

    return edit


def _served(file: Part, added: Part) -> None:
    """Have the cluster `local` run an HTTP filter of its own."""
    options = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {}},
        "http_filters": [added, parts.typed("codec", "extensions.filters.http.upstream_codec.v3.UpstreamCodec")],
    }
    _local(file)["typed_extension_protocol_options"] = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
    }


def _local(file: Part) -> Part:
    return next(cluster for cluster in clusters(file) if cluster["name"] == "local")


def _tapped(file: Part) -> None:
    raw = parts.typed("raw", "extensions.transport_sockets.raw_buffer.v3.RawBuffer")
    _local(file)["transport_socket"] = parts.typed(
        "tap", "extensions.transport_sockets.tap.v3.Tap", transport_socket=raw
    )


def _lua(code: str = _LUA) -> Part:
    return parts.typed(
        "envoy.filters.http.lua", "extensions.filters.http.lua.v3.Lua", default_source_code={"inline_string": code}
    )


def _tap() -> Part:
    sink = {"format": "JSON_BODY_AS_BYTES", "file_per_tap": {"path_prefix": "/var/log/tap"}}
    config = {"match_config": {"any_match": True}, "output_config": {"sinks": [sink]}}
    return parts.typed(
        "envoy.filters.http.tap", "extensions.filters.http.tap.v3.Tap", common_config={"static_config": config}
    )


def _asks_elsewhere(file: Part) -> None:
    second = parts.ext_proc(failure_mode_allow=True)
    second["name"] = "second"
    second["typed_config"]["grpc_service"] = {"envoy_grpc": {"cluster_name": "openai"}}
    manager(file)["http_filters"].insert(0, second)


def _overridden(file: Part) -> None:
    config = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
        "overrides": {"grpc_service": {"envoy_grpc": {"cluster_name": "openai"}}},
    }
    routes(file)[-1]["typed_per_filter_config"] = {parts.EXT_PROC: config}


def _tree(file: Part) -> None:
    host = parts.hosts(file)[0]
    action = parts.typed("route", "config.route.v3.Route", match=_ALL, route={"cluster": "openai"})
    del host["routes"]
    host["matcher"] = {"on_no_match": {"action": action}}


def _elsewhere(file: Part) -> None:
    del manager(file)["route_config"]
    manager(file)["rds"] = {"route_config_name": "llm", "config_source": _DISCOVERED}


def _scoped(file: Part) -> None:
    del manager(file)["route_config"]
    key = {"header_value_extractor": {"name": "x-scope", "element_separator": ";"}}
    manager(file)["scoped_routes"] = {
        "name": "scopes",
        "scope_key_builder": {"fragments": [key]},
        "scoped_rds": {"scoped_rds_config_source": _DISCOVERED},
    }


def _second_chain(file: Part) -> None:
    listener = file["static_resources"]["listeners"][0]
    proxy = parts.typed("raw", "extensions.filters.network.tcp_proxy.v3.TcpProxy", stat_prefix="raw", cluster="openai")
    listener["filter_chains"][0]["filter_chain_match"] = {"destination_port": 8080}
    listener["default_filter_chain"] = {"filters": [proxy]}


def _before_the_rest(**match: Any) -> Edit:  # noqa: ANN401 - plain data
    """Put a route to an external cluster in front, with a match that only Envoy can judge."""
    added = {"name": "odd", "match": {**_ALL, **match}, "route": {"cluster": "openai"}}
    return lambda file: routes(file).insert(0, added)


def _narrowed(**match: Any) -> Edit:  # noqa: ANN401 - plain data
    """Have the private route take only some of its requests."""
    return lambda file: route(file, "private_undecided")["match"].update(match)


def _plugged(file: Part) -> None:
    table = manager(file)["route_config"]
    plugin = parts.typed(
        "lua", "extensions.router.cluster_specifiers.lua.v3.LuaConfig", source_code={"inline_string": "return 1"}
    )
    table["cluster_specifier_plugins"] = [{"extension": plugin}]
    route(file, "decided")["route"] = {"cluster_specifier_plugin": "lua"}


def _circular(file: Part) -> None:
    route(file, "private_undecided")["route"] = {"cluster": "pool"}
    clusters(file).append(parts.chain("aggregate", "pool", ["pool", "local"]))


def _mirrored(file: Part) -> None:
    """Have a server see all that the router is asked."""
    options = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
        "request_mirror_policies": [{"cluster": "logs"}],
    }
    router = next(cluster for cluster in clusters(file) if cluster["name"] == parts.ROUTER)
    router["typed_extension_protocol_options"] = {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options}
    clusters(file).append({"name": "logs", "connect_timeout": "1s", "type": "EDS"})


def _grouped(file: Part) -> None:
    clusters(file).extend((parts.chain("aggregate", "all", [parts.ROUTER, "logs"]), {"name": "logs", "type": "EDS"}))
    manager(file)["http_filters"][0]["typed_config"]["grpc_service"] = {"envoy_grpc": {"cluster_name": "all"}}


def _says(name: str, config: Part) -> Edit:
    """Have the route of private requests say something to a filter."""
    return lambda file: route(file, "private_undecided").update(typed_per_filter_config={name: config})


def _wrapped(type_: str, **value: Any) -> Part:  # noqa: ANN401 - plain data
    return {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": f"type.googleapis.com/envoy.extensions.filters.http.{type_}",
        "value": value,
    }


def _to_metadata(**more: str) -> Part:
    """Return a filter that lets a client's header name clusters in metadata."""
    rule = {"header": "x-plan", "on_header_present": {"key": "priority_groups", "type": "PROTOBUF_VALUE", **more}}
    return parts.typed(_H2M, "extensions.filters.http.header_to_metadata.v3.Config", request_rules=[rule])


def _planned(namespace: str) -> Edit:
    """Have the private route take its clusters from metadata that the router may write."""

    def edit(file: Part) -> None:
        action = parts.groups(["local"])
        config = action["inline_cluster_specifier_plugin"]["extension"]["typed_config"]
        config["override_metadata_namespace"] = namespace
        route(file, "private_undecided")["route"] = action
        options = manager(file)["http_filters"][0]["typed_config"]["metadata_options"]
        options["receiving_namespaces"]["untyped"].append(namespace)

    return edit


def _key_log(file: Part) -> None:
    context = {"key_log": {"path": "/var/log/keys"}}
    _local(file)["transport_socket"] = parts.typed(
        "tls", "extensions.transport_sockets.tls.v3.UpstreamTlsContext", common_tls_context=context
    )


_H2M = "envoy.filters.http.header_to_metadata"
_DECISION = "extproc_router.decision"
_PATH_BY_USER = parts.typed(
    "auth",
    "extensions.filters.http.basic_auth.v3.BasicAuth",
    users={"inline_string": "/dashboards/x:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="},
    forward_username_header=":path",
)
_WEBSOCKET = {"upgrade_type": "websocket"}

MUTANTS: tuple[Mutant, ...] = (
    # --- filters
    Mutant("lua that rewrites headers", OPEN, _filtered(_lua())),
    Mutant("lua behind the router", OPEN, _filtered(_lua(), 1)),
    Mutant("lua in a cluster's own filters", OPEN, lambda file: _served(file, _lua())),
    Mutant("tap", RESTRICTING, _filtered(_tap())),
    Mutant("tap on a cluster's connections", OPEN, _tapped),
    Mutant("a second ext_proc, elsewhere", OPEN, _asks_elsewhere),
    Mutant("ext_proc sent elsewhere by a route", RESTRICTING, _overridden),
    Mutant("a model's server in the router's place", OPEN, lambda file: manager(file)["http_filters"][0][
        "typed_config"].update(grpc_service={"envoy_grpc": {"cluster_name": "openai"}})),
    Mutant("a filter that is discovered (ECDS)", OPEN, _filtered(
        {"name": "ecds", "config_discovery": {"config_source": _DISCOVERED, "type_urls": ["a/b.C"]}})),
    Mutant("an unknown filter", OPEN, _filtered(parts.typed("new", "extensions.filters.http.unheard_of.v3.New"))),
    Mutant("a filter wrapped in a TypedStruct", OPEN, _filtered({"name": "wrapped", "typed_config": {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "value": {"default_source_code": {"inline_string": _LUA}}}})),
    Mutant("ext_authz, which may set headers and is sent bodies", OPEN, _filtered(parts.typed(
        "authz", "extensions.filters.http.ext_authz.v3.ExtAuthz",
        grpc_service={"envoy_grpc": {"cluster_name": "openai"}}, with_request_body={"max_request_bytes": 1024}))),
    Mutant("a filter that turns a claim into a header", OPEN, _filtered(parts.typed(
        "jwt", "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={"p": {"claim_to_headers": [{"header_name": "x-selected-cluster", "claim_name": "c"}]}}))),
    Mutant("a filter behind the router that writes paths", OPEN, _filtered(_PATH_BY_USER, 1)),
    Mutant("ext_proc sent elsewhere by a route's TypedStruct", RESTRICTING, _says(parts.EXT_PROC, _wrapped(
        "ext_proc.v3.ExtProcPerRoute", overrides={"grpc_service": {"envoy_grpc": {"cluster_name": "openai"}}}))),
    Mutant("headers rewritten by a route's TypedStruct", OPEN, _says("envoy.filters.http.header_mutation", _wrapped(
        "header_mutation.v3.HeaderMutationPerRoute",
        mutations={"request_mutations": [{"remove_on_match": {"key_matcher": {"prefix": "x-priv"}}}]}))),
    Mutant("lua of a route", OPEN, _says("envoy.filters.http.lua", parts.typed(
        "", "extensions.filters.http.lua.v3.LuaPerRoute", source_code={"inline_string": _LUA})["typed_config"])),
    Mutant("clusters by a client's header, in the router's metadata", OPEN, both(
        _planned(_DECISION), _filtered(_to_metadata(metadata_namespace=_DECISION)))),
    Mutant("clusters by a client's header, in the router's metadata, on one route", OPEN, both(
        _planned(_DECISION),
        _filtered(parts.typed(_H2M, "extensions.filters.http.header_to_metadata.v3.Config")),
        _says(_H2M, _to_metadata(metadata_namespace=_DECISION)["typed_config"]))),
    Mutant("clusters by a client's header, in a filter's own metadata", OPEN, both(
        _planned(_H2M), _filtered(_to_metadata()))),
    # --- who is asked, and who is told
    Mutant("the router's own stream mirrored", OPEN, _mirrored),
    Mutant("the router one of a group", OPEN, _grouped),
    Mutant("an access logger in wasm", RESTRICTING, _manages(access_log=[parts.typed(
        "wasm", "extensions.access_loggers.wasm.v3.WasmAccessLog", config={"name": "x"})])),
    Mutant("a tracer that is a library", RESTRICTING, _manages(tracing={"provider": parts.typed(
        "ot", "config.trace.v3.DynamicOtConfig", library="/x.so")})),
    Mutant("TLS keys written to a file", OPEN, _key_log),
    # --- where routes come from, and what they match
    Mutant("routes from elsewhere (RDS)", OPEN, _elsewhere),
    Mutant("scoped routes", OPEN, _scoped),
    Mutant("virtual hosts from elsewhere (VHDS)", OPEN, lambda file: manager(file)["route_config"].update(
        vhds={"config_source": _DISCOVERED})),
    Mutant("routes as a matcher tree", OPEN, _tree),
    Mutant("private route for half of the requests", OPEN, _narrowed(
        runtime_fraction={"default_value": {"numerator": 50}})),
    Mutant("private route for gRPC alone", OPEN, _narrowed(grpc={})),
    Mutant("private route by dynamic metadata", OPEN, _narrowed(dynamic_metadata=[
        {"filter": "f", "path": [{"key": "k"}], "value": {"present_match": True}}])),
    Mutant("a route for clients with a certificate", RESTRICTING, _before_the_rest(tls_context={"presented": True})),
    Mutant("a route by cookie", RESTRICTING, _before_the_rest(
        cookies=[{"name": "c", "string_match": {"exact": "1"}}])),
    Mutant("a route by a member that Envoy has not yet", RESTRICTING, _before_the_rest(weather={"rain": True})),
    # --- where routes lead
    Mutant("internal redirects", OPEN, adds("decided", internal_redirect_policy={"max_internal_redirects": 2})),
    Mutant("a member of an action that Envoy has not yet", OPEN, adds("decided", also_to="openai")),
    Mutant("upgrades where content is blocked", BLOCKING, _manages(upgrade_configs=[_WEBSOCKET])),
    Mutant("upgrades of a route where content restricts", RESTRICTING, adds("decided", upgrade_configs=[_WEBSOCKET])),
    Mutant("a cluster specifier in lua", OPEN, _plugged),
    Mutant("an action of a filter", OPEN, lambda file: routes(file).insert(0, {"match": _ALL, "filter_action": {}})),
    Mutant("retries by an extension", OPEN, adds("decided", retry_policy_typed_config=parts.typed(
        "", "extensions.retry.unheard_of.v3.New")["typed_config"])),
    Mutant("ORIGINAL_DST", OPEN, _clustered(type="ORIGINAL_DST", lb_policy="CLUSTER_PROVIDED")),
    Mutant("dynamic forward proxy", OPEN, _clustered(lb_policy="CLUSTER_PROVIDED", cluster_type=parts.typed(
        "envoy.clusters.dynamic_forward_proxy", "extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig"))),
    Mutant("an unknown type of cluster", OPEN, _clustered(cluster_type=parts.typed(
        "new", "extensions.clusters.unheard_of.v3.New"))),
    Mutant("an aggregate of itself", OPEN, _circular),
    # --- other ways in
    Mutant("clusters from elsewhere (CDS)", OPEN, lambda file: (
        file.update(dynamic_resources={"cds_config": _DISCOVERED}),
        route(file, "private_undecided").update(route={"cluster": "discovered"}))),
    Mutant("listeners from elsewhere (LDS)", OPEN, lambda file: file.update(
        dynamic_resources={"lds_config": _DISCOVERED})),
    Mutant("a chain for the ports that no other takes", OPEN, _second_chain),
    Mutant("an unknown network filter", OPEN, lambda file: file["static_resources"]["listeners"][0]["filter_chains"][0][
        "filters"].insert(0, parts.typed("new", "extensions.filters.network.unheard_of.v3.New"))),
    Mutant("an early mutation that is unknown", OPEN, lambda file: manager(file)[
        "early_header_mutation_extensions"].append(parts.typed("new", "extensions.http.early.v3.New"))),
)  # fmt: skip
