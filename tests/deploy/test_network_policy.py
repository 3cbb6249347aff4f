"""The network policy lets through what the pod needs, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def policy(one: Callable[[str], Any]) -> Any:
    return one("NetworkPolicy")["spec"]


def ports(rule: Any) -> set[tuple[str, int | str]]:
    return {(port["protocol"], port["port"]) for port in rule["ports"]}


def test_it_covers_both_directions(policy: Any) -> None:
    assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_clients_reach_envoy_and_prometheus_the_metrics(policy: Any, router: Any, envoy: Any) -> None:
    clients, prometheus = policy["ingress"]
    assert ports(clients) == {("TCP", port["name"]) for port in envoy["ports"]}
    assert prometheus["from"]
    assert ports(prometheus) == {("TCP", "metrics")}
    assert "metrics" in {port["name"] for port in router["ports"]}


def test_prompts_leave_for_the_model_servers_alone(policy: Any, bootstrap: Any) -> None:
    dns, models = policy["egress"]
    assert ports(dns) == {("UDP", 53), ("TCP", 53)}
    servers = [
        endpoint["endpoint"]["address"]["socket_address"]
        for cluster in bootstrap["static_resources"]["clusters"]
        for group in cluster.get("load_assignment", {"endpoints": []})["endpoints"]  # `nowhere` has none
        for endpoint in group["lb_endpoints"]
        if "socket_address" in endpoint["endpoint"]["address"]
    ]
    assert servers
    assert models["to"] == [{"podSelector": {}}]
    assert all("." not in server["address"] for server in servers)  # Services of the same namespace
    assert ports(models) == {("TCP", server["port_value"]) for server in servers}
