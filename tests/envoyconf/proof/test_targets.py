from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit
    from tests.envoyconf.proof.conftest import Attempt

GROUPS = (
    "type.googleapis.com/envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier"
)
LUA = "type.googleapis.com/envoy.extensions.router.cluster_specifiers.lua.v3.LuaConfig"


def lead(**action: Any) -> Callable[[Edit], object]:
    """Let what is private and undecided go somewhere."""
    return lambda edit: edit.route("private_undecided").update(route=action)


def weighted(*clusters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"weighted_clusters": {"clusters": list(clusters), **more}}


def grouped(*names: str, **more: Any) -> dict[str, Any]:
    groups = [{"name": "g", "clusters": [{"cluster_name": name, "weight": 1} for name in names]}]
    return {"extension": {"name": "p", "typed_config": {"@type": GROUPS, "priority_groups": groups, **more}}}


@pytest.mark.parametrize(
    ("action", "way"),
    [
        ({"cluster": "code"}, "cluster code"),
        ({"cluster_header": "X-Which"}, "any cluster that a client names in x-which"),
        ({"cluster_header": "x-llm-decision"}, "any cluster that a client names in x-llm-decision"),
        (weighted({"name": "small", "weight": 99}, {"name": "code", "weight": 1}), "cluster code"),
        (weighted({"name": "code"}), "cluster code"),
        (weighted({"name": "code", "weight": 0}, runtime_key_prefix="x"), "cluster code"),
        (weighted({"cluster_header": "x-which", "weight": 1}), "any cluster that a client names in x-which"),
        ({"inline_cluster_specifier_plugin": grouped("small", "code")}, "priority group g -> cluster code"),
        ({"cluster": "nowhere", "request_mirror_policies": [{"cluster": "code"}]}, "mirror -> cluster code"),
        (
            {"cluster": "small", "request_mirror_policies": [{"cluster_header": "x-which"}]},
            "mirror -> any cluster that a client names in x-which",
        ),
    ],
)
def test_wherever_a_route_may_lead_is_looked_at(attempt: Attempt, action: dict[str, Any], way: str) -> None:
    [leak, *_] = attempt(lead(**action)).leaks
    assert leak == f"restricted (x-privacy-tier: restricted) -> router down -> route private_undecided -> {way}"


@pytest.mark.parametrize(
    "action",
    [
        {"cluster": "small"},
        {"cluster": "nobody-declares-it"},
        {"cluster_header": "x-selected-cluster"},
        weighted({"name": "small", "weight": 1}, {"name": "code", "weight": 0}),
        {"inline_cluster_specifier_plugin": grouped("small")},
        {"inline_cluster_specifier_plugin": grouped("small", override_metadata_namespace="extproc_router.decision")},
        {"cluster": "small", "request_mirror_policies": [{"cluster": "small"}]},
        {"cluster": "small", "prefix_rewrite": "/", "host_rewrite_literal": "x", "hedge_policy": {}},
        {"cluster": "small", "retry_policy": {"retry_on": "5xx", "refresh_cluster_on_retry": True}},
    ],
)
def test_routes_that_are_cleared_or_lead_nowhere(attempt: Attempt, action: dict[str, Any]) -> None:
    assert attempt(lead(**action)).proved


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lead(cluster="small", internal_redirect_policy={}), ".route.internal_redirect_policy"),
        (lead(cluster="small", internal_redirect_action="HANDLE_INTERNAL_REDIRECT"), ".route.internal_redirect_action"),
        (lead(cluster="small", retry_policy_typed_config={}), ".route.retry_policy_typed_config"),
        (lead(cluster="small", retry_policy={"a_field_of_1_50": 1}), ".route.retry_policy.a_field_of_1_50"),
        (lead(cluster="small", a_field_of_1_50={}), ".route.a_field_of_1_50"),
        (lead(), ": it does not say where requests go"),
        (lead(cluster="small", request_mirror_policies=[{"x": 1}]), ".request_mirror_policies.x"),
        (lead(**weighted({"name": "small", "weight": 1, "x": 1})), ".route.weighted_clusters.x"),
        (lead(**weighted({"name": "small", "weight": 1}, x=1)), ".route.weighted_clusters.x"),
        (
            lead(inline_cluster_specifier_plugin={"extension": {"typed_config": {"@type": LUA}}}),
            "of the type LuaConfig",
        ),
        (lead(cluster_specifier_plugin="absent"), "there is no cluster specifier 'absent'"),
        (
            lead(inline_cluster_specifier_plugin=grouped("small", override_metadata_namespace="clients")),
            "others than the router may choose clusters by the metadata 'clients'",
        ),
        (lead(inline_cluster_specifier_plugin=grouped("small", x=1)), ".x: is not understood"),
        (lambda e: e.route("private_undecided").update(filter_action={}), ".filter_action"),
        (lambda e: e.route("private_undecided").pop("route"), "it does not say what becomes of requests"),
        (lambda e: e.route("private_undecided").update(a_field_of_1_50={}), ".a_field_of_1_50"),
        (
            lambda e: e.route("decided").update(
                request_headers_to_add=[{"header": {"key": "x-llm-decision", "value": "x"}}]
            ),
            ".request_headers_to_add: writes x-llm-decision",
        ),
    ],
)
def test_what_a_route_says_and_is_not_understood(
    attempt: Attempt, change: Callable[[Edit], object], field: str
) -> None:
    found = attempt(change)
    assert found.leaks == []
    assert any(field in doubt for doubt in found.doubts), found.doubts


def test_metadata_that_others_write_chooses_no_clusters(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        plugin = grouped("small", override_metadata_namespace="extproc_router.decision")
        lead(inline_cluster_specifier_plugin=plugin)(edit)
        kind = "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config"
        rule = {"header": "x-a", "on_header_present": {"metadata_namespace": "extproc_router.decision"}}
        edit.filters.insert(0, {"name": "h", "typed_config": {"@type": kind, "request_rules": [rule]}})

    [doubt] = attempt(change).doubts
    assert "others than the router may choose" in doubt


def test_specifiers_are_found_by_name(attempt: Attempt) -> None:
    def change(edit: Edit, name: str) -> None:
        edit.manager["route_config"]["cluster_specifier_plugins"] = [grouped(name)]
        lead(cluster_specifier_plugin="p")(edit)

    assert attempt(lambda e: change(e, "small")).proved
    [leak, *_] = attempt(lambda e: change(e, "code")).leaks
    assert leak.endswith("-> priority group g -> cluster code")


@pytest.mark.parametrize("scope", [lambda e: e.host, lambda e: e.manager["route_config"]])
def test_mirrors_of_all_routes(attempt: Attempt, scope: Callable[[Edit], dict[str, Any]]) -> None:
    found = attempt(lambda e: scope(e).update(request_mirror_policies=[{"cluster": "code"}]))
    assert "restricted -> rule cost-saver -> attempt 1 -> route decided -> mirror -> cluster code" in found.leaks
    assert attempt(lambda e: scope(e).update(request_mirror_policies=[{"cluster": "small"}])).proved


@pytest.mark.parametrize("answer", ["redirect", "direct_response"])
def test_what_envoy_answers_itself_goes_nowhere(attempt: Attempt, answer: str) -> None:
    def change(edit: Edit) -> None:
        del edit.route("private_undecided")["route"]
        edit.route("private_undecided")[answer] = {}

    assert attempt(change).proved
    # Null is the same as nothing: the route leads on.
    assert attempt(lambda e: e.route("default").update({answer: None, "route": {"cluster": "code"}}), "restricts").leaks


def test_members_of_a_chosen_cluster_are_held_to_the_tier(attempt: Attempt) -> None:
    def change(edit: Edit, member: str) -> None:
        clusters = edit.data["static_resources"]["clusters"]
        [small] = [cluster for cluster in clusters if cluster["name"] == "small"]
        config = {
            "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
            "clusters": [member],
        }
        clusters.append({**small, "name": "spare"})
        small.clear()
        small.update(name="small", cluster_type={"name": "envoy.clusters.aggregate", "typed_config": config})

    story = "restricted -> rule cost-saver -> attempt 1 -> route {} -> cluster small -> cluster code"
    assert attempt(lambda e: change(e, "code")).leaks == [story.format("chain"), story.format("decided")]


def test_upgrades_of_a_route(attempt: Attempt) -> None:
    upgrade = {"upgrade_type": "websocket", "enabled": True}
    change = lead(cluster="small", upgrade_configs=[upgrade])
    assert attempt(change).proved
    assert "what comes after an upgrade" in attempt(change, "restricts").doubts[0]
    assert attempt(lead(cluster="small", upgrade_configs=[upgrade | {"enabled": False}]), "restricts").proved
    assert not attempt(lead(cluster="small", upgrade_configs=[upgrade | {"filters": [{}]}])).proved


@pytest.mark.parametrize("upgrade", [{"upgrade_type": "CONNECT", "connect_config": {}}, {"upgrade_type": "h2c"}, {}])
def test_tunnels_are_doubted_wherever_they_are(attempt: Attempt, upgrade: dict[str, Any]) -> None:
    match = {"prefix": "/", "headers": [{"name": "x-privacy-tier", "present_match": False}]}
    route = {"name": "new", "match": match, "route": {"cluster": "code", "upgrade_configs": [upgrade]}}
    for change in (
        lambda edit: edit.routes.insert(0, route),
        lambda edit: edit.manager.update(upgrade_configs=[upgrade]),
    ):
        found = attempt(change)
        assert "in such a tunnel come requests of any tier" in found.doubts[0]
    upgrade["enabled"] = "f"
    assert attempt(lambda edit: edit.manager.update(upgrade_configs=[upgrade])).proved
