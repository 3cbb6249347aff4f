"""More of the router's own cluster in test_door.py."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit
    from tests.envoyconf.proof.conftest import Attempt

VERIFIER = "extproc_router_verifier"
TYPES = "type.googleapis.com/envoy.extensions"


def cluster(edit: Edit, name: str = VERIFIER) -> dict[str, Any]:
    [found] = [each for each in edit.data["static_resources"]["clusters"] if each["name"] == name]
    return found  # type: ignore[no-any-return]


def at(host: str, name: str = VERIFIER) -> Callable[[Edit], object]:
    address = {"socket_address": {"address": host, "port_value": 9002}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return lambda edit: cluster(edit, name).update(type="STRICT_DNS", load_assignment={"endpoints": endpoints})


def asks(service: dict[str, Any], of: str = "large") -> Callable[[Edit], object]:
    def change(edit: Edit) -> None:
        [options] = cluster(edit, of)["typed_extension_protocol_options"].values()
        [config] = [each["typed_config"] for each in options["http_filters"] if each["name"] == "llm.verify"]
        config["grpc_service"] = service

    return change


def named(name: str) -> dict[str, Any]:
    return {"envoy_grpc": {"cluster_name": name}}


def both(*changes: Callable[[Edit], object]) -> Callable[[Edit], object]:
    return lambda edit: [change(edit) for change in changes]


@pytest.mark.parametrize(
    "change",
    [
        at("127.0.0.1"),
        at("localhost"),
        at("::1"),
        both(at("router.example"), at("Router.example", "extproc_router")),
        lambda e: cluster(e)["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"].update(
            address={"pipe": {"path": "/x"}}
        ),
    ],
)
def test_answers_go_to_the_sidecar(attempt: Attempt, change: Callable[[Edit], object]) -> None:
    assert attempt(change, "cascades").proved


@pytest.mark.parametrize(
    "change",
    [
        at("verifier.example"),
        at("10.0.0.1"),
        both(at("10.0.0.1"), at("10.0.0.2", "extproc_router")),
        lambda e: cluster(e).update(type="EDS"),
        asks(named("absent")),
        asks({"google_grpc": {"target_uri": "verifier.example:1"}}),
    ],
)
def test_answers_go_to_nobody_else(attempt: Attempt, change: Callable[[Edit], object]) -> None:
    found = attempt(change, "cascades")
    assert found.leaks == []
    assert any("may be anybody's: answers, and schemas of them, go to the sidecar" in doubt for doubt in found.doubts)


def test_a_models_server_judges_none(attempt: Attempt) -> None:
    found = attempt(asks(named("code")), "cascades")
    assert found.leaks == ["answers to restricted -> verifier -> cluster code"]


def test_nobody_else_sees_them_on_the_way(attempt: Attempt) -> None:
    def mirror(edit: Edit) -> None:
        [options] = cluster(edit)["typed_extension_protocol_options"].values()
        options["request_mirror_policies"] = [{"cluster": "dashboards"}]
        edit.data["static_resources"]["clusters"].append({**deepcopy(cluster(edit, "code")), "name": "dashboards"})

    found = attempt(mirror, "cascades")
    assert f"answers to restricted -> verifier -> cluster {VERIFIER} -> mirror -> cluster dashboards" in found.leaks


def test_the_sidecar_is_one_and_no_group(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        config = {"@type": f"{TYPES}.clusters.aggregate.v3.ClusterConfig", "clusters": [VERIFIER]}
        group = {"name": "all", "cluster_type": {"name": "envoy.clusters.aggregate", "typed_config": config}}
        edit.data["static_resources"]["clusters"].append(group)

    found = attempt(both(change, asks(named("all"))), "cascades")
    assert any("no group of several" in doubt for doubt in found.doubts)


def test_a_route_may_turn_it_off_and_no_more(attempt: Attempt) -> None:
    def change(edit: Edit, **said: Any) -> None:
        kind = f"{TYPES}.filters.http.ext_proc.v3.ExtProcPerRoute"
        edit.route("cascade")["typed_per_filter_config"] = {"llm.verify": {"@type": kind, **said}}

    assert attempt(lambda e: change(e, disabled=True), "cascades").proved
    for name in ("grpc_service", "processing_mode", "metadata_options", "failure_mode_allow"):
        found = attempt(lambda e, said=name: change(e, overrides={said: {}}), "cascades")
        assert any("a route may turn a verifier off, and no more" in doubt for doubt in found.doubts)
