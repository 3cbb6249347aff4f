from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof.clusters import Clusters

if TYPE_CHECKING:
    from tests.envoyconf.proof.conftest import Said

TYPES = "type.googleapis.com/envoy.extensions"
SERVERS: dict[str, Any] = {"endpoints": [{"lb_endpoints": [{"endpoint": {}}]}]}
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
LUA = {"name": "lua", "typed_config": {"@type": f"{TYPES}.filters.http.lua.v3.Lua"}}
CODEC = {"name": "codec", "typed_config": {"@type": f"{TYPES}.filters.http.upstream_codec.v3.UpstreamCodec"}}


def cluster(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "STATIC", "load_assignment": SERVERS, **more}


def group(name: str, kind: str, members: list[Any]) -> dict[str, Any]:
    config = {"@type": f"{TYPES}.clusters.{kind}.v3.ClusterConfig", "clusters": members}
    return {"name": name, "cluster_type": {"name": f"envoy.clusters.{kind}", "typed_config": config}}


def found(said: Said, name: str, *declared: dict[str, Any], **more: Any) -> list[tuple[str, ...]]:
    """The servers behind a name, each after the words for the way there; a doubt's words where there is one."""
    clusters = Clusters(said({"static_resources": {"clusters": list(declared)}, **more}))
    assert len(clusters) == len({entry["name"] for entry in declared})
    servers = clusters.servers(name)
    return [(*server.via, server.name, *(doubt.why for doubt in server.doubts)) for server in servers]


@pytest.mark.parametrize("type_", ["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", 0, 3])
def test_a_cluster_has_its_own_servers(said: Said, type_: object) -> None:
    assert found(said, "a", cluster("a", type=type_)) == [("a",)]


@pytest.mark.parametrize("assignment", [{}, {"endpoints": []}, {"endpoints": [{"locality": {}}]}, None])
def test_a_static_cluster_without_endpoints_has_none(said: Said, assignment: object) -> None:
    assert found(said, "a", cluster("a", load_assignment=assignment)) == []
    assert found(said, "a", cluster("a", type="EDS", load_assignment=assignment)) == [("a",)]


@pytest.mark.parametrize("field", ["leds_cluster_locality_config", "load_balancer_endpoints", "aFieldOf150"])
def test_endpoints_that_come_from_elsewhere_are_some(said: Said, field: str) -> None:
    assert found(said, "a", cluster("a", load_assignment={"endpoints": [{field: {}}]})) == [("a",)]


def test_what_nobody_declares_is_nowhere_unless_it_may_be_discovered(said: Said) -> None:
    assert found(said, "b", cluster("a")) == []
    discovered = found(said, "b", cluster("a"), dynamic_resources={"cds_config": {"ads": {}}})
    assert discovered == [("", "cluster 'b' may be discovered")]


@pytest.mark.parametrize(
    ("kind", "members"), [("aggregate", ["a", "b"]), ("composite", [{"name": "a"}, {"name": "b"}])]
)
def test_members_are_attempts(said: Said, kind: str, members: list[Any]) -> None:
    servers = found(said, "all", group("all", kind, members), cluster("a"), cluster("b"))
    assert servers == [("cluster all", "a"), ("cluster all", "b")]


def test_members_have_members(said: Said) -> None:
    outer, inner = group("outer", "aggregate", ["inner", "b"]), group("inner", "aggregate", ["a"])
    servers = found(said, "outer", outer, inner, cluster("a"), cluster("b"))
    assert servers == [("cluster outer", "cluster inner", "a"), ("cluster outer", "b")]


def test_a_cluster_that_holds_itself_or_is_declared_twice_proves_nothing(said: Said) -> None:
    [(_, _, why)] = found(said, "a", group("a", "aggregate", ["a"]))
    assert why == "it is declared twice, or holds itself"
    [(_, why)] = found(said, "a", cluster("a"), cluster("a"))
    assert why == "it is declared twice, or holds itself"
    deep = [group(str(level), "aggregate", [str(level + 1)]) for level in range(100)]
    assert found(said, "0", *deep)[0][-1] == "it is declared twice, or holds itself"


@pytest.mark.parametrize(
    "custom",
    [
        {
            "name": "envoy.clusters.dynamic_forward_proxy",
            "typed_config": {"@type": f"{TYPES}.clusters.x.v3.ClusterConfig"},
        },
        {"name": "envoy.clusters.aggregate"},
        group("x", "aggregate", ["a"])["cluster_type"]["typed_config"] | {"x": 1},
    ],
)
def test_other_kinds_of_clusters_prove_nothing(said: Said, custom: dict[str, Any]) -> None:
    [(name, why)] = found(said, "a", {"name": "a", "cluster_type": custom})
    assert name == ""
    assert "is not understood" in why


def test_the_client_chooses_where_an_original_destination_is(said: Said) -> None:
    [(_, why)] = found(said, "a", cluster("a", type="ORIGINAL_DST"))
    assert "depends on the request" in why
    assert found(said, "a", cluster("a", type=4)) == [
        ("", "where a cluster of the type ORIGINAL_DST leads depends on the request")
    ]


def test_names_are_looked_up_by_dns(said: Said) -> None:
    custom = {"name": "envoy.clusters.dns", "typed_config": {"@type": f"{TYPES}.clusters.dns.v3.DnsCluster"}}
    assert found(said, "a", {"name": "a", "cluster_type": custom}) == [("a",)]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"filters": [{"name": "x"}]}, "is not understood"),
        ({"upstream_config": {}}, "is not understood"),
        ({"a_field_of_1_50": {}}, "is not understood"),
        ({"transport_socket": {"name": "tap"}}, "? is not understood"),
        ({"typed_extension_protocol_options": {"x": {"@type": "x/y"}}}, "is not understood"),
        (
            {
                "load_assignment": {
                    "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"envoy_internal_address": {}}}}]}]
                }
            },
            "it leads to an internal listener, where a request is another one",
        ),
    ],
)
def test_what_a_cluster_says_and_is_not_understood(said: Said, more: dict[str, Any], why: str) -> None:
    assert found(said, "a", cluster("a", **more)) == [("a", why)]


def options(**more: Any) -> dict[str, Any]:
    return {"typed_extension_protocol_options": {OPTIONS: {"@type": f"type.googleapis.com/{OPTIONS}", **more}}}


def test_filters_in_front_of_a_server_may_send_what_they_see_elsewhere(said: Said) -> None:
    assert found(said, "a", cluster("a", **options(http_filters=[CODEC]))) == [("a",)]
    tap = {"name": "tap", "typed_config": {"@type": f"{TYPES}.filters.http.tap.v3.Tap"}}
    assert found(said, "a", cluster("a", **options(http_filters=[tap, CODEC]))) == [
        ("a", "may send what it sees elsewhere")
    ]
    [(_, why)] = found(said, "a", cluster("a", **options(http_filters=[LUA, CODEC])))
    assert "another may do anything" in why
    tcp = {"x": {"@type": "type.googleapis.com/envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions"}}
    assert found(said, "a", cluster("a", typed_extension_protocol_options=tcp)) == [("a",)]


def test_a_cluster_may_have_mirrors(said: Said) -> None:
    servers = found(said, "a", cluster("a", **options(request_mirror_policies=[{"cluster": "b"}])), cluster("b"))
    assert servers == [("a",), ("cluster a", "mirror", "b")]
    [server] = found(said, "a", cluster("a", **options(request_mirror_policies=[{"cluster_header": "b"}])))
    assert server == ("a", "is not understood")


def test_a_cluster_that_leads_to_a_listener_of_the_same_envoy_proves_nothing(said: Said) -> None:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 10001}}
    assignment = {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}
    resources = {"listeners": [{"address": address}], "clusters": [cluster("a", load_assignment=assignment)]}
    [server] = Clusters(said({"static_resources": resources})).servers("a")
    assert [doubt.why for doubt in server.doubts] == [
        "it leads to a listener of this Envoy, where a request is another one"
    ]


def placed(*hosts: str) -> dict[str, Any]:
    sockets = [{"endpoint": {"address": {"socket_address": {"address": host, "port_value": 1}}}} for host in hosts]
    return {"load_assignment": {"endpoints": [{"lb_endpoints": sockets}]}}


PIPE: dict[str, Any] = {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {}}}}]}]}


@pytest.mark.parametrize(
    ("declared", "hosts"),
    [
        (cluster("a", **placed("10.0.0.1", "Router")), {"10.0.0.1", "router"}),
        (cluster("a", **placed("router"), type="STRICT_DNS"), {"router"}),
        (cluster("a", load_assignment=PIPE), {"localhost"}),
        (cluster("a", **placed("router"), type="EDS"), set()),
        (cluster("a", load_assignment={"endpoints": [*PIPE["endpoints"], {"ledsClusterLocalityConfig": {}}]}), set()),
        (cluster("a", load_assignment=None), set()),
        (group("a", "aggregate", ["b"]), set()),
        (cluster("b"), set()),
    ],
)  # fmt: skip
def test_where_the_servers_of_a_cluster_stand(said: Said, declared: dict[str, Any], hosts: set[str]) -> None:
    assert Clusters(said({"static_resources": {"clusters": [declared]}})).hosts("a") == hosts
    twice = Clusters(said({"static_resources": {"clusters": [declared, declared]}}))
    assert twice.hosts("a") == set()


def test_who_is_asked_by_clusters_is_found(said: Said) -> None:
    asks = {"name": "v", "typed_config": {"@type": f"{TYPES}.filters.http.ext_proc.v3.ExternalProcessor"}}
    clusters = Clusters(
        said({"static_resources": {"clusters": [cluster("a"), cluster("b", **options(http_filters=[asks, CODEC]))]}})
    )
    assert [(field, config.value) for field, config in clusters.verifiers] == [("clusters.b", asks["typed_config"])]
