from __future__ import annotations

from extproc_router.lab.hunt import envoy_parts as parts


def test_parts_of_a_file_are_found_again() -> None:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "local"}}
    host = {"name": "h", "domains": ["*"], "routes": [route]}
    manager = parts.manager([{"remove": "x-a"}], [host], [parts.ext_proc(failure_mode_allow=True)])
    raw = {"filters": [parts.typed("raw", "extensions.filters.network.tcp_proxy.v3.TcpProxy", cluster="local")]}
    listeners = [parts.listener("l", manager), {**parts.listener("m", {}), "filter_chains": [raw]}]
    file = parts.bootstrap(listeners, [parts.server("local")])

    assert parts.managers(file) == [manager["typed_config"]]
    assert parts.hosts(file) == [host]
    assert parts.routes(file) == [route]
    names = [cluster["name"] for cluster in file["static_resources"]["clusters"]]
    assert names == [parts.ROUTER, parts.NOWHERE, "local"]


def test_chains_are_written_as_each_kind_wants() -> None:
    kinds = {kind: parts.chain(kind, "pool", ["a"])["cluster_type"] for kind in ("aggregate", "composite")}
    assert kinds["aggregate"]["typed_config"]["clusters"] == ["a"]
    assert kinds["composite"]["typed_config"]["clusters"] == [{"name": "a"}]


def test_a_group_for_each_cluster() -> None:
    config = parts.groups(["a", "b"])["inline_cluster_specifier_plugin"]["extension"]["typed_config"]
    names = [cluster["cluster_name"] for group in config["priority_groups"] for cluster in group["clusters"]]
    assert names == ["a", "b"]
