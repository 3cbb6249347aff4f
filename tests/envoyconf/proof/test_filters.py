from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit
    from tests.envoyconf.proof.conftest import Attempt

HTTP = "type.googleapis.com/envoy.extensions.filters.http"
EXT_PROC = "envoy.filters.http.ext_proc"
TIER = "x-privacy-tier"


def filter_(kind: str, **config: Any) -> dict[str, Any]:
    return {"name": "new", "typed_config": {"@type": f"{HTTP}.{kind}", **config}}


def mutation(**mutation: Any) -> dict[str, Any]:
    return filter_("header_mutation.v3.HeaderMutation", mutations={"request_mutations": [mutation]})


def _added(name: str) -> dict[str, Any]:
    return {"header": {"key": name, "value": "x"}}


def at(place: int, entry: dict[str, Any]) -> Callable[[Edit], object]:
    return lambda edit: edit.filters.insert(place, entry)


@pytest.mark.parametrize(
    "entry",
    [
        filter_("cors.v3.Cors"),
        filter_("rbac.v3.RBAC"),
        filter_("fault.v3.HTTPFault"),
        filter_("jwt_authn.v3.JwtAuthentication", providers={"a": {"claim_to_headers": [{"header_name": "x-team"}]}}),
        filter_("header_to_metadata.v3.Config", request_rules=[{"header": "x-team"}]),
        mutation(remove="x-team"),
        mutation(append={"header": {"key": "x-team", "value": "a"}}),
        mutation(remove="x-selected-cluster"),
        mutation(append={"header": {"key": "x-path", "value": "%REQ(:path)%"}}),
        # What only looks at a header does not write it.
        filter_("health_check.v3.HealthCheck", headers=[{"name": ":path", "string_match": {"exact": "/healthz"}}]),
        filter_("rbac.v3.RBAC", rules={"policies": {"a": {"permissions": [{"header": {"name": TIER}}]}}}),
        filter_("grpc_web.v3.GrpcWeb"),
        filter_(
            "set_filter_state.v3.Config", on_request_headers=[{"object_key": "team", "factory_key": "envoy.string"}]
        ),
    ],
)
def test_filters_that_do_not_steer(attempt: Attempt, entry: dict[str, Any]) -> None:
    assert attempt(at(0, entry)).proved


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (filter_("lua.v3.Lua"), "a filter of the type Lua may steer or send requests"),
        (filter_("tap.v3.Tap"), "a filter of the type Tap"),
        (filter_("wasm.v3.Wasm"), "a filter of the type Wasm"),
        (filter_("ext_authz.v3.ExtAuthz"), "a filter of the type ExtAuthz"),
        (filter_("composite.v3.Composite"), "a filter of the type Composite"),
        ({"name": "new", "typed_config": {"@type": "type.googleapis.com/xds.type.v3.TypedStruct"}}, "TypedStruct"),
        ({"name": "new", "config_discovery": {}}, "it says nothing of its type"),
        (filter_("ext_proc.v3.ExternalProcessor"), "a second ext_proc"),
        (
            filter_("jwt_authn.v3.JwtAuthentication", providers={"a": {"forward_payload_header": TIER}}),
            "may write x-priv",
        ),
        (filter_("header_to_metadata.v3.Config", request_rules=[{"header": TIER, "remove": True}]), "may write x-priv"),
        (mutation(remove=TIER), "removes x-privacy-tier"),
        (mutation(append={"header": {"key": TIER, "value": "public"}}), "adds to x-privacy-tier"),
        (mutation(append={"header": {"key": "x-selected-cluster", "value": "a"}}), "adds to x-selected-cluster"),
        (filter_("basic_auth.v3.BasicAuth", forward_username_header=":Path"), "may write :path, which routes go by"),
        (
            filter_("local_ratelimit.v3.LocalRateLimit", request_headers_to_add_when_not_enforced=[_added(":path")]),
            ":path",
        ),
        (mutation(append=_added(":path")), "adds to :path"),
        (filter_("header_mutation.v3.HeaderMutation", mutations={"a_field_of_1_50": 1}), "is not understood"),
        (filter_("ratelimit.v3.RateLimit"), "take it out, or look yourself and vouch for it (--trust new)"),
        (filter_("json_to_metadata.v3.JsonToMetadata"), "may steer"),
        (
            filter_("set_filter_state.v3.Config", on_request_headers=[{"object_key": "envoy.upstream.dynamic_host"}]),
            "sets envoy.upstream.dynamic_host",
        ),
        (filter_("router.v3.Router", upstream_http_filters=[filter_("lua.v3.Lua")]), "may send what it sees elsewhere"),
        (filter_("router.v3.Router", a_field_of_1_50={}), "is not understood"),
    ],
)
def test_filters_that_may_steer_prove_nothing(attempt: Attempt, entry: dict[str, Any], says: str) -> None:
    found = attempt(at(0, entry))
    assert found.leaks == []
    assert any(doubt.startswith("http_filters.new") and says in doubt for doubt in found.doubts), found.doubts


def test_behind_the_router_nobody_changes_what_it_has_read(attempt: Attempt) -> None:
    [doubt] = attempt(at(1, filter_("grpc_web.v3.GrpcWeb"))).doubts
    assert "put it in front of the router's filter" in doubt
    auth = filter_("basic_auth.v3.BasicAuth", forward_username_header=":path")
    [doubt] = attempt(at(1, auth)).doubts
    assert "may write :path" in doubt


def test_what_somebody_vouches_for_is_not_looked_at(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        edit.filters.insert(0, filter_("lua.v3.Lua"))
        edit.host.update(typed_per_filter_config={"new": {"@type": f"{HTTP}.lua.v3.LuaPerRoute"}})

    found = attempt(change, trusted=frozenset({"new", "absent"}))
    assert (found.proved, found.proof.trusting) == (True, ("new",))
    assert len(attempt(change, trusted=frozenset({"absent"})).doubts) == 2


def test_the_routers_own_filter_is_looked_at_whoever_vouches_for_it(attempt: Attempt) -> None:
    trusted = frozenset({EXT_PROC})
    assert not attempt(lambda e: e.ext_proc.pop("processing_mode"), trusted=trusted).proved
    [doubt] = attempt(special({"@type": "type.googleapis.com/xds.type.v3.TypedStruct"}), trusted=trusted).doubts
    assert doubt.endswith("what TypedStruct makes a filter do is not understood: take it out")


def test_what_the_router_wrote_stays(attempt: Attempt) -> None:
    # With the cluster gone and the decision left, it would look as if the router had let the request pass.
    [doubt] = attempt(at(1, mutation(remove="x-selected-cluster"))).doubts
    assert "removes x-selected-cluster" in doubt


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: e.ext_proc.update(http_service={}), "http_service"),
        (lambda e: e.ext_proc.update(processing_request_modifier={}), "processing_request_modifier"),
        (lambda e: e.ext_proc["processing_mode"].update(request_body_mode="STREAMED"), "may not see whole requests"),
        (lambda e: e.ext_proc["processing_mode"].update(request_body_mode="BUFFERED_PARTIAL"), "may not see whole"),
        (lambda e: e.ext_proc["processing_mode"].update(request_header_mode="SKIP"), "may not see whole requests"),
        (lambda e: e.ext_proc.pop("processing_mode"), "may not see whole requests"),
        (lambda e: e.ext_proc["mutation_rules"].pop("allow_expression"), "may not write x-selected-cluster"),
        (
            lambda e: e.ext_proc["mutation_rules"].update(disallow_expression={"regex": "x-llm-.*"}),
            "may not write x-llm-decision",
        ),
        (lambda e: e.ext_proc["mutation_rules"].update(disallow_expression={"regex": "("}), "may not write"),
        (lambda e: e.ext_proc.update(forward_rules={"allowed_headers": {}}), "may hide x-privacy-tier"),
        (
            lambda e: e.ext_proc["forward_rules"]["disallowed_headers"]["patterns"].append({"prefix": "x-"}),
            "may hide x-privacy-tier",
        ),
        (
            lambda e: e.ext_proc["forward_rules"]["disallowed_headers"]["patterns"].append({"exact": "x-plan"}),
            "may hide x-plan",
        ),
    ],
)
def test_the_router_reads_whole_requests_and_steers_them(
    attempt: Attempt, change: Callable[[Edit], object], says: str
) -> None:
    text = """
privacy_tiers: [public, internal]
models: [{name: a, cluster: small, privacy: internal}]
signals: [{name: plan, kind: header, header: x-plan}]
routing: {default: a}
"""
    found = attempt(change, text)
    assert found.leaks == []
    assert any(says in doubt for doubt in found.doubts), found.doubts


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.ext_proc["processing_mode"].update(request_body_mode=2, request_header_mode=0),
        lambda e: e.ext_proc.pop("mutation_rules"),
        lambda e: e.ext_proc.update(forward_rules={"allowed_headers": {"patterns": [{"prefix": ""}]}}),
        lambda e: e.ext_proc.update(route_cache_action="RETAIN"),
        lambda e: e.ext_proc.update(observability_mode=True),
        lambda e: e.filter.update(disabled=True),
    ],
)
def test_an_envoy_that_does_not_listen_is_a_router_that_is_silent(
    attempt: Attempt, change: Callable[[Edit], object]
) -> None:
    assert attempt(change).proved


def special(config: dict[str, Any], name: str = EXT_PROC) -> Callable[[Edit], object]:
    return lambda edit: edit.host.update(typed_per_filter_config={name: config})


PER_ROUTE = {"@type": f"{HTTP}.ext_proc.v3.ExtProcPerRoute"}
WRAPPED = "type.googleapis.com/envoy.config.route.v3.FilterConfig"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (PER_ROUTE | {"disabled": True}, ""),
        (PER_ROUTE | {"overrides": {"failure_mode_allow": False}}, ""),
        (PER_ROUTE | {"overrides": {"grpc_service": {}}}, "overrides.grpc_service: is not understood"),
        (PER_ROUTE | {"overrides": {"processing_mode": {}}}, "may not see whole requests"),
        ({"@type": WRAPPED, "config": PER_ROUTE | {"overrides": {"grpc_service": {}}}}, "grpc_service"),
        ({"@type": WRAPPED, "disabled": True}, ""),
        (
            {
                "@type": f"{HTTP}.header_mutation.v3.HeaderMutationPerRoute",
                "mutations": {"request_mutations": [{"remove": TIER}]},
            },
            "removes x-privacy-tier",
        ),
        ({"@type": f"{HTTP}.jwt_authn.v3.PerRouteConfig", "requirement_name": "a"}, ""),
        ({"@type": f"{HTTP}.ratelimit.v3.RateLimitPerRoute"}, ""),
        (PER_ROUTE | {"a_field_of_1_50": 1}, "a_field_of_1_50: is not understood"),
        ({"@type": WRAPPED, "a_field_of_1_50": 1}, "a_field_of_1_50: is not understood"),
        ({"@type": WRAPPED, "config": {"@type": WRAPPED, "config": {"@type": "x/y.Z"}}}, "what FilterConfig makes"),
        ({"@type": f"{HTTP}.basic_auth.v3.BasicAuthPerRoute", "x": TIER}, "may write x-privacy-tier"),
        ({"@type": f"{HTTP}.header_to_metadata.v3.Config", "request_rules": [{"header": TIER}]}, "may write x-priv"),
        (
            {
                "@type": f"{HTTP}.header_mutation.v3.HeaderMutationPerRoute",
                "mutations": {"request_mutations": [{"append": _added(":path")}]},
            },
            "adds to :path",
        ),
        ({"@type": f"{HTTP}.set_filter_state.v3.Config", "on_request_headers": [{}]}, "an object without a name"),
        ({"@type": f"{HTTP}.lua.v3.LuaPerRoute"}, "what LuaPerRoute makes a filter do is not understood: take it out"),
        (
            {
                "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
                "type_url": PER_ROUTE["@type"],
                "value": {"overrides": {"grpc_service": {"envoy_grpc": {"cluster_name": "code"}}}},
            },
            "what TypedStruct makes a filter do",
        ),
        ({}, "what ? makes a filter do"),
    ],
)
def test_what_a_route_says_to_filters(attempt: Attempt, config: dict[str, Any], says: str) -> None:
    found = attempt(special(config))
    assert found.leaks == []
    assert [says in doubt for doubt in found.doubts] == [True] * bool(says)


def test_what_is_said_to_a_filter_that_is_not_there_counts_too(attempt: Attempt) -> None:
    assert not attempt(special({"@type": "x/y.Z"}, "absent")).proved


NAMESPACE = "extproc_router.decision"
DEFAULT_NAMESPACE = "envoy.filters.http.header_to_metadata"
H2M = {"@type": f"{HTTP}.header_to_metadata.v3.Config"}
PLAN = {"request_rules": [{"header": "x-plan", "on_header_present": {"metadata_namespace": NAMESPACE, "key": "k"}}]}


def chained(edit: Edit, namespace: str = NAMESPACE) -> Edit:
    """Let the silent route take its clusters from the router's metadata."""
    edit.ext_proc["metadata_options"]["receiving_namespaces"]["untyped"].append(namespace)
    plugin = {
        "@type": "type.googleapis.com/envoy.extensions.router.cluster_specifiers.priority_group.v3."
        "PriorityGroupClusterSpecifier",
        "override_metadata_namespace": namespace,
        "priority_groups": [{"name": "g", "clusters": [{"cluster_name": "small"}]}],
    }
    edit.route("private_undecided")["route"] = {
        "inline_cluster_specifier_plugin": {"extension": {"typed_config": plugin}}
    }
    return edit


@pytest.mark.parametrize(
    ("change", "is_ours"),
    [
        (chained, True),
        (lambda e: chained(e).filters.insert(0, filter_("header_to_metadata.v3.Config")), True),
        (lambda e: chained(e).filters.insert(0, filter_("header_to_metadata.v3.Config", **PLAN)), False),
        (lambda e: chained(e).filters.insert(0, filter_("cors.v3.Cors") | {"name": NAMESPACE}), False),
        (lambda e: chained(e).host.update(typed_per_filter_config={"new": H2M | PLAN}), False),
        (
            lambda e: (
                chained(e).routes[0].update(typedPerFilterConfig={"new": {"@type": WRAPPED, "config": H2M | PLAN}})
            ),
            False,
        ),
        # What a route says of the router's own metadata gives nobody else a say.
        (
            lambda e: special(
                PER_ROUTE | {"overrides": {"metadata_options": {"receiving_namespaces": {"untyped": [NAMESPACE]}}}}
            )(chained(e)),
            True,
        ),
        # Filters write there without their configs saying so.
        (lambda e: chained(e, DEFAULT_NAMESPACE), False),
    ],
)
def test_metadata_that_names_clusters_is_the_routers_alone(
    attempt: Attempt, change: Callable[[Edit], object], is_ours: bool
) -> None:
    says = "others than the router may choose clusters by the metadata"
    found = attempt(change)
    assert found.leaks == []
    assert [says in doubt for doubt in found.doubts] == [True] * (not is_ours)


@pytest.mark.parametrize("namespace", ["extproc_router.attempts", "extproc_router.cascade"])
def test_what_later_attempts_send_is_the_routers_to_say(attempt: Attempt, namespace: str) -> None:
    rule = {"header": "x-plan", "on_header_present": {"metadata_namespace": namespace, "key": "attempts"}}
    says = f"may write the metadata {namespace!r}, which is the router's alone"
    writes = filter_("header_to_metadata.v3.Config", request_rules=[rule])
    constant = filter_("set_metadata.v3.Config", metadata=[{"metadata_namespace": namespace, "value": {}}])
    for change in (at(0, writes), at(1, constant), special(H2M | {"request_rules": [rule]}, "new")):
        assert [says in doubt for doubt in attempt(change).doubts] == [True]
