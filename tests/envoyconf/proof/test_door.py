from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit
    from tests.envoyconf.proof.conftest import Attempt

TIER = "x-privacy-tier"
CLOSED = {"cluster": "nowhere"}
EXT_PROC = "envoy.filters.http.ext_proc"
PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"


def far(edit: Edit, name: str) -> Edit:
    """Let a route lead to the cluster that is cleared for the lowest tier alone."""
    edit.route(name)["route"] = {"cluster": "code"}
    return edit


def close(edit: Edit) -> Edit:
    edit.route("default")["route"] = dict(CLOSED)
    return edit


def insert(before: str, match: dict[str, Any], cluster: str = "code", **more: Any) -> Callable[[Edit], object]:
    """Put a route in front of another, or of all."""
    route = {"name": "new", "match": match, "route": {"cluster": cluster, **more}}
    return lambda edit: edit.routes.insert(edit.routes.index(edit.route(before)) if before else 0, route)


def taken(edit: Edit, name: str) -> dict[str, Any]:
    """Take a route out."""
    return edit.routes.pop(edit.routes.index(edit.route(name)))


@pytest.mark.parametrize("text", ["tiers", "restricts"])
def test_the_shipped_routes_are_proved(attempt: Attempt, text: str) -> None:
    assert attempt(lambda _: None, text).proved


def test_where_a_rule_blocks_the_default_has_to_be_closed(attempt: Attempt) -> None:
    found = attempt(lambda _: None, "blocks")
    assert found.leaks[0] == "unread by rule attacks -> router down -> route default -> cluster small"
    assert "ext_proc.failure_mode_allow" in [mistake.field for mistake in found.proof.leaks]
    assert attempt(close, "blocks").proved


def test_an_envoy_that_fails_closed_passes_streams_that_end_cleanly(attempt: Attempt) -> None:
    found = attempt(lambda e: e.ext_proc.update(failure_mode_allow=False), "blocks")
    assert found.leaks == ["unread by rule attacks -> router ends its stream cleanly -> route default -> cluster small"]


def test_where_a_rule_restricts_the_default_has_to_be_cleared(attempt: Attempt) -> None:
    found = attempt(lambda e: far(e, "default"), "restricts")
    assert found.leaks[0] == "internal by rule words -> router down -> route default -> cluster code"
    assert attempt(lambda e: far(e, "default")).proved
    assert attempt(lambda e: e.route("default")["route"].update(cluster="large"), "restricts").proved


@pytest.mark.parametrize(
    ("change", "marked"),
    [
        (lambda e: e.routes.remove(e.route("private_undecided")), "restricted"),
        (lambda e: e.routes.append(taken(e, "private_undecided")), "restricted"),
        (lambda e: e.route("private_undecided")["match"]["headers"][1].update(invert_match=False), "restricted"),
        (lambda e: e.route("private_undecided")["match"]["headers"][1].update(name="x-privacy-teir"), "restricted"),
        (
            lambda e: e.route("private_undecided")["match"].update(
                headers=[{"name": TIER, "string_match": {"exact": "restricted"}}]
            ),
            "RESTRICTED",
        ),
        (
            lambda e: e.route("private_undecided")["match"].update(
                headers=[{"name": TIER, "string_match": {"contains": "restricted", "ignore_case": True}}]
            ),
            "a-misspelt-tier",
        ),
        (
            lambda e: e.route("private_undecided")["match"]["headers"][1].update(
                string_match={"prefix": "public"}, invert_match=True
            ),
            "public,restricted",
        ),
        (
            lambda e: e.route("private_undecided")["match"]["headers"][1].update(string_match={"exact": ""}),
            "(empty)",
        ),
    ],
    ids=["gone", "last", "not inverted", "another header", "exact", "contains", "prefix", "empty"],
)
def test_what_is_marked_goes_nowhere_else(attempt: Attempt, change: Callable[[Edit], object], marked: str) -> None:
    def both(edit: Edit) -> None:
        change(edit)
        far(edit, "default")

    story = f"restricted (x-privacy-tier: {marked}) -> router down -> route default -> cluster code"
    assert story in attempt(both).leaks


def test_one_path_that_is_not_closed_is_named(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        insert("private_undecided", {"prefix": "/v1/files"})(edit)
        edit.route("new")["name"] = "files"

    [leak] = attempt(change).leaks
    assert leak.startswith("restricted (x-privacy-tier: restricted, path /v1/files...) -> router down -> route files")


@pytest.mark.parametrize(
    "match",
    [
        {"prefix": "/", "headers": [{"name": "x-tenant", "exact_match": "gold"}]},
        {"prefix": "/", "query_parameters": [{"name": "debug", "present_match": True}]},
        {"prefix": "/", "runtime_fraction": {"default_value": {"numerator": 1}}},
        {"prefix": "/", "grpc": {}},
        {"safe_regex": {"regex": "/v1/.*"}},
        {"path": "/v1/embeddings"},
        {"prefix": "/V1", "case_sensitive": False},
        {"path_separated_prefix": "/v1"},
        {"connect_matcher": {}},
    ],
)
def test_a_route_that_some_requests_take_leads_no_further_than_one_for_all(
    attempt: Attempt, match: dict[str, Any]
) -> None:
    found = attempt(insert("private_undecided", match))
    assert len(found.leaks) == 1
    assert found.leaks[0].endswith("-> router down -> route new -> cluster code")
    assert attempt(insert("private_undecided", match, "small")).proved


@pytest.mark.parametrize(
    "field", [{"path_match_policy": {}}, {"dynamic_metadata": [{}]}, {"filter_state": [{}]}, {"a_field_of_1_50": {}}]
)
def test_a_condition_that_is_not_understood_proves_nothing(attempt: Attempt, field: dict[str, Any]) -> None:
    found = attempt(insert("private_undecided", {"prefix": "/", **field}))
    assert found.leaks == []
    assert any("whether there is this way" in doubt for doubt in found.doubts)
    # Nor does it close anything for what comes behind it.
    behind = attempt(lambda e: (e.route("private_undecided")["match"].update(field), far(e, "default")))
    assert behind.leaks == []
    assert any("routes.default: whether there is this way: restricted" in doubt for doubt in behind.doubts)


def test_repeated_tiers_that_nothing_joins_prove_nothing(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        [extension] = edit.manager["early_header_mutation_extensions"]
        extension["typed_config"]["mutations"].pop()
        far(edit, "default")

    found = attempt(change)
    assert found.leaks == []
    assert "whether there is this way: restricted -> router down" in found.doubts[0]
    assert "join them, as `early_header_mutation_extensions` of envoy/envoy.yaml do" in found.doubts[0]


def test_a_client_that_may_write_our_headers_speaks_in_our_name(attempt: Attempt) -> None:
    found = attempt(lambda e: e.manager.pop("early_header_mutation_extensions"))
    assert any(
        "-> route decided -> any cluster that a client names in x-selected-cluster" in leak for leak in found.leaks
    )
    assert any("-> route passed -> cluster" in leak for leak in attempt(forge_decisions).leaks)


def forge_decisions(edit: Edit) -> None:
    [extension] = edit.manager["early_header_mutation_extensions"]
    mutations = extension["typed_config"]["mutations"]
    mutations[:] = [
        entry for entry in mutations if entry.get("remove_on_match") != {"key_matcher": {"prefix": "x-llm-"}}
    ]
    edit.routes.insert(0, taken(edit, "passed"))
    far(edit, "passed")


def test_what_was_decided_goes_where_the_router_says(attempt: Attempt) -> None:
    found = attempt(lambda e: far(e, "decided"))
    assert found.leaks == ["restricted -> rule cost-saver -> attempt 1 -> route decided -> cluster code"]


def test_what_was_decided_for_one_cluster_is_told_from_the_rest(attempt: Attempt) -> None:
    def match(cluster: str) -> dict[str, Any]:
        return {"prefix": "/", "headers": [{"name": "x-selected-cluster", "string_match": {"exact": cluster}}]}

    found = attempt(insert("", match("large")))
    assert found.leaks == ["internal -> default -> attempt 1 -> route new -> cluster code"]
    # Nothing that is private is ever sent there.
    assert attempt(insert("", match("code"))).proved
    # It would have to be a cluster that the router knows.
    assert attempt(insert("", match("another"))).proved
    assert attempt(insert("", match("large"), "small")).proved


def test_a_cluster_of_no_model_is_cleared_for_nothing_private(attempt: Attempt) -> None:
    mirror = [{"cluster": "extproc_router"}]
    found = attempt(lambda e: e.route("decided")["route"].update(request_mirror_policies=mirror))
    assert found.leaks == [
        "restricted -> rule cost-saver -> attempt 1 -> route decided -> mirror -> cluster extproc_router"
    ]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/grafana", []),
        ("/v1", ["virtual_hosts.llm.routes.new: cluster 'extproc_router' is no model's"]),
        ("/v1/chat/%63ompletions", ["virtual_hosts.llm.routes.new: cluster 'extproc_router' is no model's"]),
        ("/%", ["virtual_hosts.llm.routes.new: cluster 'extproc_router' is no model's"]),
    ],
)
def test_other_servers_are_not_ours_on_other_paths(attempt: Attempt, path: str, says: list[str]) -> None:
    def change(edit: Edit) -> None:
        close(edit)
        insert("default", {"prefix": path}, "extproc_router")(edit)

    found = attempt(change, "blocks")
    assert found.leaks == []
    assert [doubt.partition(",")[0] for doubt in found.doubts] == says
    # A model is, on any path: paths are rewritten.
    model = attempt(lambda e: (close(e), insert("default", {"prefix": path}, "code")(e)), "blocks")
    assert any("-> route new -> cluster code" in leak for leak in model.leaks)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prefix_rewrite", "/v1/"),
        ("regex_rewrite", {"pattern": {"regex": "^/a"}, "substitution": "/v1"}),
        ("path_rewrite", "/v1/chat/completions"),
        ("path_rewrite_policy", {"name": "x"}),
        ("host_rewrite_literal", "api.example"),
        ("host_rewrite_header", "x-host"),
        ("auto_host_rewrite", True),
    ],
)
def test_a_path_that_is_rewritten_may_become_an_apis(attempt: Attempt, name: str, value: object) -> None:
    added = insert("", {"prefix": "/a/", "headers": [{"name": TIER, "present_match": False}]}, "extproc_router")

    def change(edit: Edit) -> None:
        close(edit)
        added(edit)
        edit.routes[0]["route"][name] = value

    found = attempt(change, "blocks")
    assert found.leaks == []
    assert [doubt.rpartition(": ")[2] for doubt in found.doubts] == (
        []
        if name == "auto_host_rewrite"
        else ["paths or hosts are rewritten on the way, so that any path may become an API's"]
    )
    assert attempt(change).proved


@pytest.mark.parametrize(("key", "proved"), [(":path", False), ("x-team", True)])
def test_a_cluster_may_rewrite_paths_too(attempt: Attempt, key: str, proved: bool) -> None:
    kind = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
    mutations = {"request_mutations": [{"append": {"header": {"key": key, "value": "/v1/chat/completions"}}}]}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    rewriting = {
        "@type": f"type.googleapis.com/{options}",
        "http_filters": [{"name": "x", "typed_config": {"@type": kind, "mutations": mutations}}],
    }
    server = {
        "name": "other",
        "type": "STRICT_DNS",
        "load_assignment": {"endpoints": [{"lb_endpoints": [{"endpoint": {}}]}]},
        "typed_extension_protocol_options": {options: rewriting},
    }

    def change(edit: Edit) -> None:
        close(edit)
        insert("", {"prefix": "/a/", "headers": [{"name": TIER, "present_match": False}]}, "other")(edit)
        edit.data["static_resources"]["clusters"].append(server)

    assert attempt(change, "blocks").proved is proved


def test_a_marked_request_at_a_server_of_no_model_is_told_with_its_cure(attempt: Attempt) -> None:
    [leak, *_] = attempt(insert("", {"prefix": "/a/"}, "extproc_router")).leaks
    assert (
        "-> cluster extproc_router: a cluster of no model may get no marked request: add the header condition" in leak
    )


def test_what_may_be_discovered_is_doubted_on_any_path(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        close(edit)
        insert("", {"prefix": "/a/", "headers": [{"name": TIER, "present_match": False}]}, "nobody-declares-it")(edit)
        edit.data["dynamic_resources"] = {"cds_config": {}}

    assert attempt(change, "blocks").doubts == [
        "dynamic_resources.cds_config: cluster 'nobody-declares-it' may be discovered"
    ]


def test_where_every_request_is_marked_none_is_unmarked(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        [extension] = edit.manager["early_header_mutation_extensions"]
        mark = {"header": {"key": TIER, "value": "restricted"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        extension["typed_config"]["mutations"].append({"append": mark})
        far(edit, "default")

    assert attempt(change, "restricts").proved


def test_a_model_in_the_routers_place_is_sent_everything(attempt: Attempt) -> None:
    def ask(cluster: str) -> Callable[[Edit], object]:
        return lambda edit: edit.ext_proc["grpc_service"]["envoy_grpc"].update(cluster_name=cluster)

    assert attempt(ask("large")).leaks == ["restricted -> ext_proc -> cluster large"]
    assert attempt(ask("small")).proved
    assert "restricted -> ext_proc -> cluster small" in attempt(ask("small"), "blocks").leaks
    elsewhere = attempt(lambda edit: edit.ext_proc.update(grpc_service={"google_grpc": {"target_uri": "x"}}))
    assert elsewhere.doubts == ["ext_proc.grpc_service: where google_grpc leads, this file does not say"]


def test_what_is_asked_of_others_beside_the_router_is_read_by_them(attempt: Attempt) -> None:
    """A mirror has every body; whom a group asks, nobody knows."""
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

    def mirror(edit: Edit, to: str) -> None:
        [router] = [entry for entry in edit.data["static_resources"]["clusters"] if entry["name"] == "extproc_router"]
        router["typed_extension_protocol_options"][options]["request_mirror_policies"] = [{"cluster": to}]
        edit.data["static_resources"]["clusters"].append({"name": "audit", "type": "EDS"})

    def group(edit: Edit) -> None:
        config = {
            "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
            "clusters": ["extproc_router", "audit"],
        }
        pool = {"name": "pool", "cluster_type": {"name": "envoy.clusters.aggregate", "typed_config": config}}
        edit.data["static_resources"]["clusters"] += [pool, {"name": "audit", "type": "EDS"}]
        edit.ext_proc["grpc_service"]["envoy_grpc"].update(cluster_name="pool")

    way = "ext_proc -> cluster extproc_router -> mirror -> cluster"
    assert attempt(lambda e: mirror(e, "audit")).leaks == [f"restricted -> {way} audit"]
    assert attempt(lambda e: mirror(e, "code")).leaks == [f"restricted -> {way} code"]
    assert attempt(lambda e: mirror(e, "small")).proved
    assert f"restricted -> {way} small" in attempt(lambda e: mirror(e, "small"), "blocks").leaks
    found = attempt(group)
    assert found.leaks == []
    assert ["name the router's own cluster, and no group of several" in doubt for doubt in found.doubts] == [True, True]


def test_what_the_router_lets_pass_may_go_anywhere(attempt: Attempt) -> None:
    assert attempt(lambda e: (close(e), far(e, "passed")), "blocks").proved


def test_a_filter_that_is_off_is_a_router_that_is_silent(attempt: Attempt) -> None:
    off = {EXT_PROC: {"@type": PER_ROUTE, "disabled": True}}
    assert attempt(lambda e: e.route("default").update(typed_per_filter_config=off)).proved
    found = attempt(lambda e: (e.filters.remove(e.filter), far(e, "default")), "restricts")
    assert found.leaks == ["internal by rule words -> router not asked -> route default -> cluster code"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda e: e.manager.update(rds=e.manager.pop("route_config")), "http_connection_manager.rds"),
        (lambda e: e.manager.update(scoped_routes={}), "http_connection_manager.scoped_routes"),
        (lambda e: e.manager.update(typed_header_validation_config={}), "http_connection_manager.typed_header"),
        (lambda e: e.manager.update(aFieldOf150={}), "http_connection_manager.a_field_of150"),
        (lambda e: e.manager.update(request_id_extension={"typed_config": {"@type": "x/y.Z"}}), "request_id_extension"),
    ],
)
def test_what_a_manager_says_and_is_not_understood(
    attempt: Attempt, change: Callable[[Edit], object], field: str
) -> None:
    [doubt] = attempt(change).doubts
    assert doubt.startswith(field)


def test_upgrades_matter_where_rules_read(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        edit.manager["upgrade_configs"] = [{"upgrade_type": "websocket"}]
        close(edit)

    assert attempt(change).proved
    [doubt] = attempt(change, "blocks").doubts
    assert "what comes after an upgrade" in doubt


ASKS = """
privacy_tiers: [public, internal]
models: [{name: a, cluster: small, privacy: internal}, {name: b, cluster: code}]
signals:
- kind: preference
  routes: [{name: a, description: one thing}, {name: b, description: another}]
  matcher: {url: "http://127.0.0.1:10001", model: m, privacy: TIER}
routing: {default: a}
"""


def asked(edit: Edit, address: str = "127.0.0.1", cluster: str = "code") -> None:
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster}}
    manager = {
        "@type": edit.manager["@type"],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [edit.filters[-1]],
    }
    edit.data["static_resources"]["listeners"].append(
        {
            "name": "asked",
            "address": {"socket_address": {"address": address, "port_value": 10001}},
            "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
        }
    )


def test_where_the_router_itself_asks_nobody_else_comes(attempt: Attempt) -> None:
    assert attempt(asked, ASKS.replace("TIER", "public")).proved
    found = attempt(asked, ASKS.replace("TIER", "internal"))
    assert found.leaks == ["internal -> asked of a language model -> route 0 -> cluster code"]
    assert attempt(lambda e: asked(e, cluster="small"), ASKS.replace("TIER", "internal")).proved


def test_a_door_that_is_open_to_others_is_like_any_other(attempt: Attempt) -> None:
    found = attempt(lambda e: asked(e, "0.0.0.0"), ASKS.replace("TIER", "public"))
    assert found.leaks == ["internal (x-privacy-tier: internal) -> router not asked -> route 0 -> cluster code"]


def test_a_door_that_is_reached_from_inside_is_open_to_others(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        asked(edit)
        edit.route("private_undecided")["route"] = {"cluster": "small"}
        [small] = [each for each in edit.data["static_resources"]["clusters"] if each["name"] == "small"]
        [group] = small["load_assignment"]["endpoints"]
        address = {"socket_address": {"address": "localhost", "port_value": 10001}}
        group["lb_endpoints"][0]["endpoint"]["address"] = address

    found = attempt(change, ASKS.replace("TIER", "public"))
    assert "clusters.small: it leads to a listener of this Envoy, where a request is another one" in found.doubts


def test_what_is_not_known_of_a_server_that_the_router_asks_is_said(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        asked(edit, cluster="anywhere")
        edit.data["static_resources"]["clusters"].append({"name": "anywhere", "type": "ORIGINAL_DST"})

    [doubt] = attempt(change, ASKS.replace("TIER", "public")).doubts
    assert "depends on the request" in doubt


CHAINS = ("cascade", "chain")


def groups(edit: Edit, name: str) -> dict[str, Any]:
    """What a route says of a chain."""
    plugin = edit.route(name)["route"]["inline_cluster_specifier_plugin"]
    config: dict[str, Any] = plugin["extension"]["typed_config"]
    return config


def spared(edit: Edit, name: str, cluster: str = "code") -> None:
    """Let a route lead somewhere where it can read no chain."""
    groups(edit, name)["priority_groups"][0]["clusters"] = [{"cluster_name": cluster, "weight": 1}]


@pytest.mark.parametrize("name", CHAINS)
def test_where_no_chain_can_be_read_a_route_has_to_be_closed_or_cleared(attempt: Attempt, name: str) -> None:
    found = attempt(lambda e: spared(e, name), "cascades")
    # The router writes the chain whenever it names the route: no request is known that goes there.
    assert found.leaks == []
    way = f"restricted -> rule cost-saver -> attempt 1 -> route {name} -> priority group closed -> cluster code"
    assert any(doubt.endswith(f"whether there is this way: {way}") for doubt in found.doubts), found.doubts
    assert attempt(lambda e: spared(e, name, "small"), "cascades").proved


@pytest.mark.parametrize("name", CHAINS)
def test_a_client_that_names_a_chain_gets_none(attempt: Attempt, name: str) -> None:
    def forge(edit: Edit) -> None:
        [early] = edit.manager["early_header_mutation_extensions"]
        mutations = early["typed_config"]["mutations"]
        place = mutations.index({"remove_on_match": {"key_matcher": {"prefix": "x-llm-"}}})
        mutations[place] = {"remove": "x-llm-decision"}

    def change(edit: Edit) -> None:
        forge(edit)
        spared(edit, name)

    assert attempt(forge, "cascades").proved
    way = f"restricted (x-privacy-tier: restricted) -> router down -> route {name} -> priority group closed"
    assert f"{way} -> cluster code" in attempt(change, "cascades").leaks


@pytest.mark.parametrize("name", CHAINS)
def test_mirrors_of_chains(attempt: Attempt, name: str) -> None:
    found = attempt(lambda e: e.route(name)["route"].update(request_mirror_policies=[{"cluster": "code"}]), "cascades")
    assert found.leaks == [f"restricted -> rule cost-saver -> attempt 1 -> route {name} -> mirror -> cluster code"]


def test_each_attempt_of_a_chain_is_looked_at(attempt: Attempt) -> None:
    def mirrored(edit: Edit) -> None:
        clusters = edit.data["static_resources"]["clusters"]
        [vault] = [cluster for cluster in clusters if cluster["name"] == "vault"]
        [options] = vault["typed_extension_protocol_options"].values()
        options["request_mirror_policies"] = [{"cluster": "code"}]

    def unchosen(edit: Edit) -> None:
        """Nothing that the router chooses goes by the route, which is behind one that takes all of it."""
        mirrored(edit)
        edit.routes.insert(0, taken(edit, "decided"))

    end = "-> cluster vault -> mirror -> cluster code"
    leaks = attempt(mirrored, "cascades").leaks
    for name in CHAINS:
        assert f"restricted -> rule cost-saver -> attempt 2 -> route {name} {end}" in leaks
    found = attempt(unchosen, "cascades")
    assert [leak for leak in found.leaks if "route chain" in leak] == []
    assert any(f"attempt 2 -> route chain {end}" in doubt for doubt in found.doubts)


def test_a_later_attempt_on_a_cluster_of_several_tiers_is_doubted(attempt: Attempt) -> None:
    found = attempt(lambda _: None, "mixed")
    assert found.leaks == []
    [doubt, _] = found.doubts
    way = "restricted -> rule cost-saver -> attempt 2 -> route cascade -> cluster code"
    assert f"whether a later attempt names the right model: {way}, which has models of lower tiers, too" in doubt

    def plain(edit: Edit) -> None:
        for name in CHAINS:
            taken(edit, name)

    assert attempt(plain, "mixed").proved


def test_a_chain_of_others_than_the_router_is_none(attempt: Attempt) -> None:
    untyped = {"untyped": ["extproc_router.decision", "extproc_router.attempts"]}
    found = attempt(lambda e: e.ext_proc["metadata_options"].update(receiving_namespaces=untyped), "cascades")
    assert found.leaks == []
    assert any("others than the router may choose clusters by the metadata" in doubt for doubt in found.doubts)


def test_what_may_be_written_of_a_chain_is_the_routers_to_say(attempt: Attempt) -> None:
    """Where the header may not be written, the routes of chains are passed by."""
    only = {"disallow_all": True, "allow_expression": {"regex": "^(x-selected-cluster|x-llm-decision|content-length)$"}}
    assert attempt(lambda e: e.ext_proc.update(mutation_rules=only), "cascades").proved
