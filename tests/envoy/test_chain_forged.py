"""What the router, Envoy and the verifier say to each other in headers is theirs: neither side can say it for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from extproc_router.lab import simulator
from extproc_router.lab.simulation import answering
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from extproc_router.lab.simulation.answer import Answer
    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, cost: {input: 1, output: 1}}
  - {name: large-70b, cluster: large, cost: {input: 9, output: 9}}
signals:
  - {kind: header, name: want, header: x-want}
rules:
  - {name: cascade, when: {want: cascade}, use: [small-8b, large-70b], cascade: {accept_at: 0.1, first_tokens: 3}}
  - {name: fallback, when: {want: fallback}, use: [small-8b, large-70b]}
fallback: {on_context_length: true}
routing: {default: small-8b}
"""
CASCADE, FALLBACK, ALONE = "cascade", "fallback", "alone"
WANTS = pytest.mark.parametrize("want", [CASCADE, FALLBACK, ALONE])
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
FORGED_BY_CLIENTS = {
    "chain": [("x-llm-chain", "fallback")],
    "cascade": [("x-llm-chain", "cascade")],
    "both": [("x-llm-chain", "cascade"), ("X-LLM-Chain", "fallback")],
    "cluster": [("x-selected-cluster", "large"), ("x-selected-cluster", "large")],
    "escalate": [("x-cascade-escalate", "1"), ("x-cascade", "1"), ("x-llm-next", "1")],
    "attempts": [("x-envoy-attempt-count", "3"), ("X-Envoy-Attempt-Count", "2")],
    "retries": [("x-envoy-max-retries", "9"), ("x-envoy-retry-on", "retriable-4xx,5xx,reset")],
    "retriable": [("x-envoy-retriable-status-codes", "200"), ("x-envoy-retriable-header-names", "server")],
    "times": [("x-envoy-upstream-rq-per-try-timeout-ms", "1"), ("x-envoy-upstream-rq-timeout-ms", "1")],
    "hedging": [("x-envoy-hedge-on-per-try-timeout", "true")],
    "decision": [("x-llm-decision", "mine"), ("x-llm-decision", "mine")],
}
FORGED_BY_CLIENTS["everything"] = [each for forged in FORGED_BY_CLIENTS.values() for each in forged]
FORGED_BY_SERVERS = (
    ("x-cascade-escalate", "1"),
    ("X-Cascade-Escalate", "1"),
    ("x-llm-next", "1"),
    ("x-llm-next", "1"),
)


@pytest.fixture(scope="module")
def chained(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(chained: House) -> House:
    chained.clear()
    return chained


def model(want: str) -> str:
    return "small-8b" if want == ALONE else "auto"


@pytest.fixture
def forging_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that claim that the next model is to be asked."""
    original = answering.answer

    def forging(*args: object) -> Answer:
        found = original(*args)  # type: ignore[arg-type]
        return structs.replace(found, headers=(*found.headers, *FORGED_BY_SERVERS))

    monkeypatch.setattr(simulator, "answer", forging)


@WANTS
@pytest.mark.parametrize("forged", FORGED_BY_CLIENTS.values(), ids=FORGED_BY_CLIENTS.keys())
def test_a_client_cannot_say_where_its_request_goes(house: House, want: str, forged: list[tuple[str, str]]) -> None:
    reply = house.post(house.chat(model=model(want)), [("x-want", want), *forged])

    assert (reply.status, [*house.asked]) == (200, ["small"])
    entry = house.access(reply.headers["x-request-id"])
    assert (entry["route"], entry["attempts"]) == ({FALLBACK: "chain", ALONE: "decided"}.get(want, want), 1)
    assert house.only().header("x-llm-decision") == entry["decision"]["id"] != "mine"


@WANTS
@pytest.mark.parametrize("forged", FORGED_BY_CLIENTS.values(), ids=FORGED_BY_CLIENTS.keys())
def test_nor_how_often_it_is_tried(house: House, want: str, forged: list[tuple[str, str]]) -> None:
    house.server("small").behaviour = Behaviour(status=400)

    reply = house.post(house.chat(model=model(want)), [("x-want", want), *forged])

    assert (reply.status, len(house.asked["small"]), len(house.asked)) == (400, 1, 1)


@pytest.mark.parametrize("forged", FORGED_BY_CLIENTS.values(), ids=FORGED_BY_CLIENTS.keys())
def test_nor_what_a_path_does_that_is_not_routed(house: House, forged: list[tuple[str, str]]) -> None:
    house.server("small").behaviour = Behaviour(status=429)

    reply = house.send("GET", "/v1/other", None, forged)

    assert (reply.status, len(house.received), [*house.asked]) == (429, 1, ["small"])
    assert house.access(reply.headers["x-request-id"])["route"] == "passed"


@WANTS
@STREAMS
@pytest.mark.parametrize("status", [None, 400])
@pytest.mark.usefixtures("forging_servers")
def test_a_server_cannot_have_another_asked(house: House, want: str, stream: bool, status: int | None) -> None:
    house.server("small").behaviour = Behaviour(status=status)

    reply = house.post(house.chat(model=model(want), stream=stream), [("x-want", want)])

    assert (reply.status, reply.whole, [*house.asked]) == (status or 200, True, ["small"])
    assert [name for name in reply.headers if name.startswith(("x-llm", "x-cascade"))] == []
    assert house.access(reply.headers["x-request-id"])["attempts"] == 1


@pytest.mark.usefixtures("forging_servers")
def test_nor_where_nothing_is_routed(house: House) -> None:
    reply = house.send("GET", "/v1/other")

    assert (reply.status, len(house.received)) == (200, 1)
    assert [name for name in reply.headers if name.startswith(("x-llm", "x-cascade"))] == []


@pytest.mark.usefixtures("forging_servers")
def test_what_is_forged_stops_nothing(house: House) -> None:
    """Who does have the next one asked, does so still."""
    house.server("small").behaviour = Behaviour(answer="empty")

    reply = house.post(house.chat(), [("x-want", CASCADE)])

    assert (reply.status, reply.json()["model"], [*house.asked]) == (200, "large-70b", ["small", "large"])
    assert [name for name in reply.headers if name.startswith(("x-llm", "x-cascade"))] == []
