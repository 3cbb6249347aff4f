"""Marked private traffic reaches cleared clusters only, whatever else happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import stack as lab
from extproc_router.lab.simulator import simulators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.envoy.conftest import House, Reply

pytestmark = pytest.mark.envoy

MATH = "What is the derivative of x^3 sin(x) with respect to x?"
TIERS = {
    "restricted": [("x-privacy-tier", "restricted")],
    "upper case": [("X-Privacy-Tier", "RESTRICTED")],
    "both, in one header": [("x-privacy-tier", "public, restricted")],
    "public first": [("x-privacy-tier", "public"), ("x-privacy-tier", "restricted")],
    "public last": [("x-privacy-tier", "restricted"), ("x-privacy-tier", "public")],
    "misspelt": [("x-privacy-tier", "restrictd")],
}


@pytest.mark.parametrize("headers", TIERS.values(), ids=TIERS.keys())
def test_only_a_cleared_cluster_is_chosen(house: House, headers: list[tuple[str, str]]) -> None:
    reply = house.post(house.chat(MATH), headers)

    assert reply.status == 200
    assert (house.only().cluster, json.loads(house.only().body)["model"]) == ("small", "small-8b")
    decision = house.decision(reply.headers["x-request-id"])
    assert (decision["privacy_tier"], decision["cluster"]) == ("restricted", "small")
    assert house.access(reply.headers["x-request-id"])["route"] == "decided"


@pytest.mark.parametrize("headers", TIERS.values(), ids=TIERS.keys())
def test_a_named_model_that_is_not_cleared_is_403(house: House, headers: list[tuple[str, str]]) -> None:
    reply = house.post(house.chat(MATH, model="large-70b"), headers)

    assert reply.status == 403
    assert reply.json()["error"]["code"] == "model_not_allowed"
    assert house.received == []


def test_a_named_model_that_is_cleared_is_reached(house: House) -> None:
    assert house.post(house.chat(MATH, model="small-8b"), TIERS["restricted"]).status == 200
    assert house.only().cluster == "small"


def test_the_lowest_tier_is_as_no_tier(house: House) -> None:
    reply = house.post(house.chat(MATH, model="large-70b"), [("x-privacy-tier", "public")])

    assert reply.status == 200
    assert house.only().cluster == "large"


def test_a_retry_stays_in_the_cleared_cluster(house: House) -> None:
    house.stack.servers["small"].status = 503

    reply = house.post(house.chat(MATH), TIERS["restricted"])

    assert reply.status == 503
    assert {request.cluster for request in house.received} == {"small"}
    assert house.stack.servers["small"].total == 3


@pytest.mark.parametrize("path", ["/v1/files", "/v1/chat/completions/x"])
def test_what_the_router_does_not_read_is_closed(house: House, path: str) -> None:
    reply = house.post(b"private", TIERS["restricted"], path=path)

    assert_closed(reply, code="no_eligible_model")
    assert "cannot be read" in reply.json()["error"]["message"]
    assert house.received == []


@pytest.mark.parametrize("size", [1_100_000, 8 * 1024 * 1024])
def test_a_long_private_request_is_routed_like_any_other(house: House, size: int) -> None:
    """Its first route has no upstream, and must not bring a smaller body limit."""
    body = house.chat("x" * (size - len(house.chat("", model="small-8b"))), model="small-8b")

    assert house.post(body, TIERS["restricted"]).status == 200
    assert house.only().cluster == "small"
    assert house.only().body == body


def assert_closed(reply: Reply, code: str = "router_unavailable") -> None:
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["type"] == "error"
    error = reply.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("api_error", None, code)
    assert error["message"]


@pytest.fixture(scope="module")
def orphaned(make_house: type[House]) -> Iterator[House]:
    """Envoy and model servers; the router was never there."""
    with lab.workspace() as directory, simulators(lab.CLUSTERS) as servers:
        clusters = {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
        clusters["extproc_router"] = f"unix:{directory / 'extproc.sock'}"
        with lab.envoy(directory, clusters=clusters) as envoy:
            house = make_house(lab.Stack(directory, servers, None, envoy, {}))  # type: ignore[arg-type]  # absent on purpose
            yield house
            house.close()


@pytest.fixture
def alone(orphaned: House) -> House:
    orphaned.clear()
    return orphaned


@pytest.mark.parametrize("headers", TIERS.values(), ids=TIERS.keys())
@pytest.mark.parametrize("spoof", [[], [("x-selected-cluster", "small")]], ids=["plain", "spoofed"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/anything"])
def test_without_the_router_private_traffic_goes_nowhere(
    alone: House, path: str, headers: list[tuple[str, str]], spoof: list[tuple[str, str]]
) -> None:
    assert_closed(alone.post(alone.chat(MATH), [*headers, *spoof], path=path))
    assert alone.received == []


@pytest.mark.parametrize("value", ["", " ", "public,public", "publi", "publicc", "Public"])
def test_without_the_router_anything_but_the_lowest_tier_is_closed(alone: House, value: str) -> None:
    assert_closed(alone.post(alone.chat(MATH), [("x-privacy-tier", value)]))
    assert alone.received == []


def test_without_the_router_other_traffic_takes_the_default_route(alone: House) -> None:
    body = alone.chat(MATH)

    plain, public = alone.post(body), alone.post(body, [("x-privacy-tier", "public")])
    streamed = alone.post(body, chunked=True)

    assert (plain.status, public.status, streamed.status) == (200, 200, 200)
    # Envoy itself names the model of the cluster that gets it.
    assert [(request.cluster, request.body) for request in alone.received] == [
        ("small", alone.chat(MATH, "small-8b"))
    ] * 3


def test_without_the_router_no_internal_header_survives(alone: House) -> None:
    alone.post(alone.chat(MATH), [("x-selected-cluster", "large"), ("x-llm-decision", "large"), ("x-cascade", "large")])

    assert alone.only().cluster == "small"
    assert "large" not in [value for _, value in alone.only().headers]
