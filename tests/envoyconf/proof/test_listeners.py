from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config import loader
from extproc_router.envoyconf.proof import listeners

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit
    from tests.envoyconf.proof.conftest import Attempt, Said

NETWORK = "type.googleapis.com/envoy.extensions.filters.network"


def tcp(cluster: str, **more: Any) -> dict[str, Any]:
    return {"name": "tcp", "typed_config": {"@type": f"{NETWORK}.tcp_proxy.v3.TcpProxy", "cluster": cluster, **more}}


def listen(*filters: dict[str, Any], **more: Any) -> Callable[[Edit], object]:
    listener = {"name": "second", "address": {}, "filter_chains": [{"filters": list(filters)}], **more}
    return lambda edit: edit.data["static_resources"]["listeners"].append(listener)


@pytest.mark.parametrize(
    ("entry", "text", "leaks"),
    [
        (tcp("small"), "tiers", []),
        (tcp("code"), "tiers", ["restricted -> listener second -> tcp_proxy -> cluster code"]),
        (tcp("small"), "blocks", ["restricted -> listener second -> tcp_proxy -> cluster small"]),
        (tcp("extproc_router"), "tiers", ["restricted -> listener second -> tcp_proxy -> cluster extproc_router"]),
        (
            tcp("", weighted_clusters={"clusters": [{"name": "small", "weight": 1}, {"name": "large", "weight": 1}]}),
            "tiers",
            ["restricted -> listener second -> tcp_proxy -> cluster large"],
        ),
    ],
)
def test_nobody_reads_what_a_tcp_proxy_passes(
    attempt: Attempt, entry: dict[str, Any], text: str, leaks: list[str]
) -> None:
    def change(edit: Edit) -> None:
        listen(entry)(edit)
        edit.route("default")["route"] = {"cluster": "nowhere"}

    found = attempt(change, text)
    assert (found.leaks, found.doubts) == (leaks, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (
            listen({"name": "x", "typed_config": {"@type": f"{NETWORK}.redis_proxy.v3.RedisProxy"}}),
            "listeners.second.filters.x",
        ),
        (listen({"name": "x", "config_discovery": {}}), "listeners.second.filters.x"),
        (listen(tcp("small", on_demand={})), "tcp_proxy.on_demand"),
        (
            listen(listener_filters=[{"name": "seen", "typed_config": {"@type": "x/y.Z"}}]),
            "listeners.second.listener_filters.seen",
        ),
        (listen(fcds_config={}), "listeners.second.fcds_config"),
        (listen(a_field_of_1_50={}), "listeners.second.a_field_of_1_50"),
        (listen(api_listener={"api_listener": {"@type": "x/y.Z"}}), "listeners.second.api_listener"),
        (
            listen(filter_chains=[{"transport_socket": {"name": "tap"}}]),
            "listeners.second.filter_chains.transport_socket",
        ),
        (lambda e: e.data.update(dynamic_resources={"lds_config": {}}), "dynamic_resources.lds_config"),
        (lambda e: e.data.update(a_field_of_1_50={}), "bootstrap.a_field_of_1_50"),
        (lambda e: e.data["static_resources"].update(a_field_of_1_50={}), "static_resources.a_field_of_1_50"),
        (lambda e: e.data.update(header_prefix="x-llm"), "bootstrap.header_prefix"),
        (lambda e: e.data.update(layered_runtime={"layers": [{"rtds_layer": {}}]}), "layered_runtime.rtds_layer"),
        (
            lambda e: e.data.update(
                layered_runtime={"layers": [{"static_layer": {"envoy": {"reloadable_features": {"a": False}}}}]}
            ),
            "layered_runtime",
        ),
        (lambda e: e.data.update(bootstrap_extensions=[{"name": "w", "typed_config": {}}]), "bootstrap_extensions.w"),
        (lambda e: e.data.update(default_regex_engine={"name": "r"}), "default_regex_engine"),
    ],
)
def test_what_stands_around_and_is_not_understood(
    attempt: Attempt, change: Callable[[Edit], object], field: str
) -> None:
    found = attempt(change)
    assert found.leaks == []
    assert any(doubt.startswith(f"{field}: ") for doubt in found.doubts), found.doubts


@pytest.mark.parametrize(
    "change",
    [
        listen({"name": "x", "typed_config": {"@type": f"{NETWORK}.rbac.v3.RBAC"}}),
        lambda e: e.data.update(dynamic_resources={"cds_config": {}}),
        lambda e: e.data.update(layered_runtime={"layers": [{"admin_layer": {}}, {"static_layer": {"a.b": 1}}]}),
    ],
)
def test_what_cannot_steer_is_let_be(attempt: Attempt, change: Callable[[Edit], object]) -> None:
    assert attempt(change).proved


@pytest.mark.parametrize("place", ["filter_chains", "default_filter_chain", "api_listener"])
def test_every_door_is_looked_at(attempt: Attempt, place: str) -> None:
    def change(edit: Edit) -> None:
        manager = deepcopy(edit.manager)
        [private] = [
            route
            for route in manager["route_config"]["virtual_hosts"][0]["routes"]
            if route["name"] == "private_undecided"
        ]
        private["route"] = {"cluster": "code"}
        chain = {"filters": [{"name": "http", "typed_config": manager}]}
        inner = {"filter_chains": [chain], "default_filter_chain": chain, "api_listener": {"api_listener": manager}}
        edit.data["static_resources"]["listeners"].append({"name": "second", "address": {}, place: inner[place]})

    assert any("route private_undecided -> cluster code" in leak for leak in attempt(change).leaks)


ASKS = """
privacy_tiers: [public, internal, restricted]
models: [{name: a, cluster: small, privacy: restricted}]
signals:
- name: one
  kind: preference
  routes: [{name: a, description: x}, {name: b, description: y}]
  matcher: {url: "URL", model: m}
- name: two
  kind: preference
  routes: [{name: a, description: x}, {name: b, description: y}]
  matcher: {url: "URL", model: m, privacy: internal}
routing: {default: a}
"""


@pytest.mark.parametrize(
    ("url", "ports"),
    [
        ("http://127.0.0.1:10001/x", {10001: 1}),
        ("http://localhost:10001", {10001: 1}),
        ("http://[::1]", {80: 1}),
        ("http://10.0.0.1:10001", {}),
    ],
)
def test_where_a_config_asks_language_models(url: str, ports: dict[int, int]) -> None:
    config = loader.load(ASKS.replace("URL", url), "router.yaml")
    assert listeners.askers(config, config.privacy_tiers) == ports


@pytest.mark.parametrize(
    ("addresses", "asker"),
    [
        ([{"socket_address": {"address": "127.0.0.1", "port_value": 10001}}], 1),
        ([{"socketAddress": {"address": "::1", "portValue": "10001"}}], 1),
        ([{"socket_address": {"address": "0.0.0.0", "port_value": 10001}}], None),
        ([{"socket_address": {"address": "127.0.0.1", "port_value": 10002}}], None),
        ([{"socket_address": {"address": "127.0.0.1", "named_port": "x"}}], None),
        ([{"pipe": {"path": "/x"}}], None),
        (
            [
                {"socket_address": {"address": "127.0.0.1", "port_value": 10001}},
                {"socket_address": {"address": "10.0.0.1", "port_value": 10001}},
            ],
            None,
        ),
    ],
)
def test_a_listener_that_the_router_alone_can_reach(
    said: Said, addresses: list[dict[str, Any]], asker: int | None
) -> None:
    first, *more = addresses
    listener = {
        "name": "asked",
        "address": first,
        "additional_addresses": [{"address": address} for address in more],
        "filter_chains": [{"filters": [tcp("small")]}],
    }
    [door], doubts = listeners.doors(said({"static_resources": {"listeners": [listener]}}), {10001: 1})
    assert (door.listener, door.is_http, door.asker, doubts) == ("asked", False, asker, [])


def test_clients_may_say_which_listener_they_meant(said: Said) -> None:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 10001}}
    asked = {"name": "asked", "address": address, "filter_chains": [{"filters": [tcp("small")]}]}
    handing = {"name": "handing", "address": {}, "use_original_dst": True}
    [door], _ = listeners.doors(said({"static_resources": {"listeners": [asked, handing]}}), {10001: 1})
    assert door.asker is None


ONE_TIER = """
models: [{name: local, cluster: small}]
safety: [{name: attacks, when: {tools: true}, then: block}]
routing: {default: local}
"""


def test_a_tcp_proxy_to_a_server_of_no_model_may_carry_what_rules_have_to_read(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        listen(tcp("extproc_router"))(edit)
        edit.route("default")["route"] = {"cluster": "nowhere"}

    found = attempt(change, ONE_TIER)
    why = "cluster 'extproc_router' is no model's, and requests that rules have to read may go there unread"
    assert (found.leaks, found.doubts) == ([], [f"listeners.second: {why}"])
