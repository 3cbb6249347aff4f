"""A whole tier is down: a clear 503, and whoever may not see the request received nothing."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import stack as lab
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

EXAMPLE = lab.CONFIG.parent / "privacy-first" / "router.yaml"
FALLBACK = """
fallback: {models: [vendor-code, private-70b, local-8b], attempts: 8, stream_seconds: 1, answer_seconds: 1}
"""
CODE = "Write a Python function that merges two sorted lists."
# What may see a request, by what makes it private: the prompt, its headers, or both.
REQUESTS = {
    "personal data": (f"{CODE} Their owner is 536-22-8741, an SSN.", [], ("local",)),
    "marked restricted": (CODE, [("x-privacy-tier", "restricted")], ("local",)),
    "marked twice": (CODE, [("x-privacy-tier", "public"), ("x-privacy-tier", "restricted")], ("local",)),
    "a house secret": (f"{CODE} For Project Osprey.", [], ("private", "local")),
    "marked internal": (CODE, [("x-privacy-tier", "internal")], ("private", "local")),
}
TROUBLE = {
    "refused": None,
    "503": Behaviour(status=503),
    "reset": Behaviour(fault="reset"),
}


@pytest.fixture(scope="module")
def chained(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(EXAMPLE.read_text() + FALLBACK) as house:
        yield house


@pytest.fixture
def house(chained: House) -> House:
    chained.clear()
    return chained


@contextmanager
def trouble_at(house: House, clusters: tuple[str, ...], trouble: str) -> Iterator[None]:
    with ExitStack() as parts:
        behaviour = TROUBLE[trouble]
        if behaviour is None:
            parts.enter_context(house.down(*clusters))
        else:
            for cluster in clusters:
                house.server(cluster).behaviour = behaviour
        yield


@pytest.mark.parametrize(("prompt", "headers", "may_see"), REQUESTS.values(), ids=REQUESTS.keys())
def test_those_that_may_see_it_stand_in_for_each_other(
    house: House, prompt: str, headers: list[tuple[str, str]], may_see: tuple[str, ...]
) -> None:
    chain = house.decision(house.post(house.chat(prompt), headers).headers["x-request-id"])["chain"]
    assert {house.stack.served_by[model] for model in chain} == set(may_see)
    first, last = (house.stack.served_by[chain[place]] for place in (0, -1))

    house.clear()
    with house.down(*set(may_see) - {last}):
        reply = house.post(house.chat(prompt), headers)

    assert reply.status == 200
    assert [*house.asked] == [last]
    assert len(chain) == 1 or first != last


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(("prompt", "headers", "may_see"), REQUESTS.values(), ids=REQUESTS.keys())
def test_a_whole_tier_is_down(
    house: House, prompt: str, headers: list[tuple[str, str]], may_see: tuple[str, ...], path: str, trouble: str
) -> None:
    with trouble_at(house, may_see, trouble):
        reply = house.post(house.chat(prompt, max_tokens=5), headers, path=path)

    assert reply.status == 503
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["error"]["message"]
    if path == "/v1/messages":
        assert reply.json()["type"] == "error"
    assert set(house.asked) <= set(may_see)
    assert house.server("external").total == 0


def test_a_whole_tier_hangs(house: House) -> None:
    for cluster in ("private", "local"):
        house.server(cluster).behaviour = Behaviour(fault="hang", fault_at="mid_headers")

    reply = house.post(house.chat(CODE), [("x-privacy-tier", "internal")])

    assert (reply.status, reply.json()["error"]["type"]) == (504, "api_error")
    assert [*house.asked] == ["local", "private"]


def test_what_is_public_may_go_everywhere(house: House) -> None:
    with house.down("external", "private"):
        reply = house.post(house.chat(CODE))

    assert (reply.status, reply.json()["model"]) == (200, "local-8b")
    assert house.decision(reply.headers["x-request-id"])["chain"] == ["vendor-code", "private-70b", "local-8b"]


def test_what_is_private_stays_inside_while_the_router_is_away(house: House) -> None:
    """Nobody decided, so nobody is asked: chains are the router's alone."""
    house.stack.router.child.kill()
    for prompt, headers, _ in REQUESTS.values():
        reply = house.post(house.chat(prompt), [*headers, ("x-llm-chain", "fallback"), ("x-llm-chain", "cascade")])
        assert (reply.status, reply.json()["error"]["code"]) == (503, "router_unavailable")
    assert house.asked == {}
