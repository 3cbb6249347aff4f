"""Headers that steer routing are ours: a client's own are gone before anything reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

INTERNAL = [
    "x-selected-cluster",
    "x-llm-decision",
    "x-llm-chain",
    "x-cascade",
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-alt-route",
    "x-envoy-original-dst-host",
    "x-envoy-original-path",
    "x-envoy-decorator-operation",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-internal",
    "x-envoy-external-address",
    "x-envoy-attempt-count",
    "x-envoy-ip-tags",
]
SPOOF = "large"


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("name", INTERNAL)
def test_an_internal_header_is_stripped(house: House, name: str, times: int) -> None:
    headers = [(name, SPOOF), (name.upper(), SPOOF)][:times]

    decided = house.post(house.chat(model="code-32b"), headers)
    passed = house.send("GET", "/v1/other", None, headers)

    assert (decided.status, passed.status) == (200, 200)
    assert [request.cluster for request in house.received] == ["small", "code"]
    for request in house.received:
        assert SPOOF not in (request.header(name) or "")
    assert house.access(passed.headers["x-request-id"])["route"] == "passed"


@pytest.mark.parametrize("body", [b"{", b'{"model":"gpt-99","messages":[]}'])
def test_a_refused_request_is_not_rescued_by_a_spoofed_cluster(house: House, body: bytes) -> None:
    reply = house.post(body, [("x-selected-cluster", SPOOF)])

    assert reply.status in {400, 404}
    assert house.received == []


def test_spoofed_retries_and_timeouts_have_no_effect(house: House) -> None:
    server = house.stack.servers["code"]
    server.status = 500

    reply = house.post(
        house.chat(model="code-32b"),
        [("x-envoy-retry-on", "5xx"), ("x-envoy-max-retries", "9"), ("x-envoy-upstream-rq-timeout-ms", "1")],
    )

    assert reply.status == 500
    assert server.total == 1


def test_the_clusters_name_does_not_reach_upstream_or_client(house: House) -> None:
    reply = house.post(house.chat(model="code-32b"))

    assert house.only().header("x-selected-cluster") is None
    assert house.only().header("x-llm-decision")
    assert not [name for name in reply.headers if name.startswith(("x-llm-", "x-selected", "x-envoy-"))]


def test_credentials_are_not_shown_to_the_router(house: House) -> None:
    reply = house.post(house.chat(model="code-32b"), [("authorization", "Bearer k"), ("cookie", "a=b")])

    assert reply.status == 200
    assert house.only().header("authorization") == "Bearer k"
    assert house.only().header("cookie") == "a=b"
