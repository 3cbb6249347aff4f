"""An envoy.yaml that knows less than the router's config: it routes by the first model alone, or lacks a cluster."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, cost: {input: 1, output: 1}}
  - {name: large-70b, cluster: large, cost: {input: 9, output: 9}}
signals:
  - {kind: header, name: want, header: x-want}
rules:
  - {name: cascade, when: {want: cascade}, use: [small-8b, large-70b], cascade: {accept_at: 0.1}}
  - {name: fallback, when: {want: fallback}, use: [small-8b, large-70b]}
routing: {default: small-8b}
"""
WANTS = pytest.mark.parametrize("want", ["cascade", "fallback"])
TROUBLE = {"429": Behaviour(status=429), "reset": Behaviour(fault="reset"), "refused": None}


def without_large(bootstrap: dict[str, Any]) -> dict[str, Any]:
    clusters = bootstrap["static_resources"]["clusters"]
    clusters[:] = [cluster for cluster in clusters if cluster["name"] != "large"]
    return bootstrap


@pytest.fixture(scope="module")
def plain_house(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG, plain=True) as house:
        yield house


@pytest.fixture(scope="module")
def poor_house(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG, change=without_large) as house:
        yield house


@pytest.fixture
def plain(plain_house: House) -> House:
    plain_house.clear()
    return plain_house


@pytest.fixture
def poor(poor_house: House) -> House:
    poor_house.clear()
    return poor_house


@WANTS
@pytest.mark.parametrize("stream", [False, True])
def test_plain_the_first_model_answers(plain: House, want: str, stream: bool) -> None:
    reply = plain.post(plain.chat(stream=stream), [("x-want", want)])

    assert (reply.status, [*plain.asked]) == (200, ["small"])
    assert plain.access(reply.headers["x-request-id"])["route"] == "decided"
    assert plain.stack.router.verifier.exists()
    assert plain.metric("extproc_router_cascades_total") == 0


@WANTS
@pytest.mark.parametrize("trouble", TROUBLE)
def test_plain_its_failure_is_the_clients(plain: House, want: str, trouble: str) -> None:
    with ExitStack() as parts:
        plain.server("small").behaviour = TROUBLE[trouble] or Behaviour()
        if trouble == "refused":
            parts.enter_context(plain.down("small"))
        reply = plain.post(plain.chat(), [("x-want", want)])

    assert reply.status == (429 if trouble == "429" else 503)
    assert set(plain.asked) <= {"small"}


@WANTS
def test_plain_nobody_can_ask_for_more(plain: House, want: str) -> None:
    plain.server("small").behaviour = Behaviour(status=429)
    headers = [("x-llm-chain", want), ("x-envoy-max-retries", "3"), ("x-selected-cluster", "large")]

    reply = plain.post(plain.chat(), [("x-want", want), *headers])

    assert (reply.status, len(plain.asked["small"])) == (429, 1)


@WANTS
def test_a_cluster_that_is_missing_is_not_missed_until_it_is_asked(poor: House, want: str) -> None:
    assert poor.post(poor.chat(), [("x-want", want)]).status == 200


@WANTS
@pytest.mark.parametrize("trouble", TROUBLE)
def test_then_it_ends_the_walk(poor: House, want: str, trouble: str) -> None:
    with ExitStack() as parts:
        poor.server("small").behaviour = TROUBLE[trouble] or Behaviour()
        if trouble == "refused":
            parts.enter_context(poor.down("small"))
        reply = poor.post(poor.chat(), [("x-want", want)])

    assert (reply.status, reply.json()["error"]["type"]) == (503, "api_error")
    assert set(poor.asked) <= {"small"}


def test_even_of_a_cascade_whose_first_answer_is_doubted(poor: House) -> None:
    """`envoy check` tells of such a file before it is used."""
    poor.server("small").behaviour = Behaviour(answer="empty")

    reply = poor.post(poor.chat(), [("x-want", "cascade")])

    assert (reply.status, reply.json()["error"]["type"]) == (503, "api_error")
