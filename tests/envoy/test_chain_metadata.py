"""What the router tells Envoy of a chain, told badly: the route is closed, and no other server is asked."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import wiring
from extproc_router.lab import envoy_file
from extproc_router.lab import stack as lab
from extproc_router.lab.processes import running
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.simulator import simulators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.envoy.conftest import House, Reply

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, cost: {input: 1, output: 1}}
  - {name: large-70b, cluster: large, cost: {input: 9, output: 9}}
rules: [{name: all, use: [small-8b, large-70b], cascade: {}}]
routing: {default: small-8b}
"""
CHAIN, ATTEMPTS = "extproc_router.chain", "extproc_router.attempts"
SCRIPT = "script.json"
ROUTES = pytest.mark.parametrize("chain", ["fallback", "cascade"])


def group(cluster: Any, weight: Any = 1, name: Any = "g") -> dict[str, Any]:
    return {"name": name, "clusters": [{"cluster_name": cluster, "weight": weight}]}


def walk(*clusters: str) -> dict[str, Any]:
    return {"priority_groups": [group(cluster, name=f"g{place}") for place, cluster in enumerate(clusters)]}


@pytest.fixture(scope="module")
def scripted(make_house: type[House]) -> Iterator[House]:
    """Envoy with a router that says whatever it is told to, and no verifier."""
    with ExitStack() as parts:
        directory = parts.enter_context(lab.workspace())
        path = directory / "router.yaml"
        path.write_text(CONFIG)
        servers = parts.enter_context(simulators(("small", "large")))
        socket = directory / "extproc.sock"
        program = Path(__file__).with_name("scripted_router.py")
        argv: list[str | Path] = [sys.executable, program, f"unix:{socket}", directory / SCRIPT]
        parts.enter_context(running(argv, name="scripted", directory=directory))
        clusters = {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
        clusters |= {"extproc_router": f"unix:{socket}", "extproc_router_verifier": f"unix:{directory / 'none.sock'}"}
        base = envoy_file.rendered(wiring.read_config(path))
        envoy = parts.enter_context(lab.envoy(directory, clusters=clusters, base=base))
        house = make_house(lab.Stack(directory, servers, None, envoy, {}))  # type: ignore[arg-type]  # absent on purpose
        house.eventually(socket.exists)
        yield house
        assert envoy.child.process.poll() is None
        house.close()


@pytest.fixture
def house(scripted: House) -> House:
    scripted.clear()
    scripted.server("small").behaviour = Behaviour(status=503)
    return scripted


def ask(house: House, chain: str, metadata: Any, retries: str = "2") -> Reply:
    """One request, of which the router says this."""
    headers = {
        "x-selected-cluster": "small",
        "x-llm-decision": "an-id",
        "x-llm-chain": chain,
        "x-envoy-max-retries": retries,
    }
    (house.stack.directory / SCRIPT).write_text(json.dumps({"headers": headers, "metadata": metadata}))
    return house.post(house.chat(model="small-8b"))


@ROUTES
def test_told_well_it_is_walked(house: House, chain: str) -> None:
    body = house.chat(model="small-8b")
    start = body.index(b'"small-8b"')
    told = {
        "attempts": [{"cluster": "small", "splices": []}, {"cluster": "large", "splices": [[start, start + 10, "7"]]}]
    }

    reply = ask(house, chain, {CHAIN: walk("small", "large"), ATTEMPTS: told})

    assert (reply.status, house.asked) == (200, {"small": [body], "large": [body.replace(b'"small-8b"', b"7")]})


MALFORMED = {
    "none": {},
    "in another namespace": {"envoy.lb": walk("large")},
    "nothing in it": {CHAIN: {}},
    "no list": {CHAIN: {"priority_groups": "large"}},
    "an empty list": {CHAIN: {"priority_groups": []}},
    "a list of names": {CHAIN: {"priority_groups": ["large", "large"]}},
    "nulls": {CHAIN: {"priority_groups": [None, None]}},
    "groups without clusters": {CHAIN: {"priority_groups": [{"name": "g0"}, {"name": "g1", "clusters": []}]}},
    "clusters without names": {CHAIN: {"priority_groups": [{"name": "g0", "clusters": [{"weight": 1}]}]}},
    "a name that is none": {CHAIN: {"priority_groups": [group(7)]}},
    "an empty name": {CHAIN: {"priority_groups": [group("")]}},
    "weight 0": {CHAIN: {"priority_groups": [group("large", 0)]}},
    "a weight below 0": {CHAIN: {"priority_groups": [group("large", -1)]}},
    "a weight that is none": {CHAIN: {"priority_groups": [group("large", "1")]}},
    "a huge weight": {CHAIN: {"priority_groups": [group("large", 1e300)]}},
    "a cluster that is none": {CHAIN: walk("gone", "gone")},
}


@ROUTES
@pytest.mark.parametrize("metadata", MALFORMED.values(), ids=MALFORMED.keys())
def test_told_badly_nobody_is_asked(house: House, chain: str, metadata: Any) -> None:
    reply = ask(house, chain, metadata)
    assert (reply.status, reply.json()["error"]["type"]) == (503, "api_error")
    assert house.asked == {}


BODIES = {
    "none": {},
    "no list": {"attempts": "x"},
    "a list of nothing": {"attempts": [None, None, None]},
    "names": {"attempts": ["small", "large"]},
    "too few": {"attempts": [{"cluster": "small", "splices": []}]},
    "another cluster's": {"attempts": [{"cluster": "small"}, {"cluster": "small", "splices": [[0, 1, "x"]]}]},
    "no splices": {"attempts": [{"cluster": "small"}, {"cluster": "large"}]},
    "splices that are none": {"attempts": [{"cluster": "small"}, {"cluster": "large", "splices": "x"}]},
    "a splice that is none": {"attempts": [{"cluster": "small"}, {"cluster": "large", "splices": ["x"]}]},
    "offsets that are none": {"attempts": [{}, {"cluster": "large", "splices": [["a", "b", "x"]]}]},
    "text that is none": {"attempts": [{}, {"cluster": "large", "splices": [[0, 1, {"a": 1}]]}]},
    "too far": {"attempts": [{}, {"cluster": "large", "splices": [[10**6, 10**7, "x"]]}]},
    "the wrong way": {"attempts": [{}, {"cluster": "large", "splices": [[9, 3, "x"], [2, 1, "y"]]}]},
    "below 0": {"attempts": [{}, {"cluster": "large", "splices": [[-9, -3, "x"]]}]},
    "fractions": {"attempts": [{}, {"cluster": "large", "splices": [[1.5, 2.5, "x"]]}]},
    "huge": {"attempts": [{}, {"cluster": "large", "splices": [[1e300, 1e308, "x"]]}]},
}


@ROUTES
@pytest.mark.parametrize("told", BODIES.values(), ids=BODIES.keys())
def test_bodies_that_are_told_badly_are_the_next_models_to_refuse(house: House, chain: str, told: Any) -> None:
    """It gets the first one's body, or what the splices make of it; nobody else gets any."""
    reply = ask(house, chain, {CHAIN: walk("small", "large"), ATTEMPTS: told})

    assert reply.status in {200, 400}
    assert [*house.asked] == ["small", "large"]
    assert house.asked["small"] == [house.chat(model="small-8b")]


@ROUTES
@pytest.mark.parametrize(
    ("clusters", "asked"),
    [(["gone", "large"], []), (["small", "gone", "large"], ["small"]), (["small", "small", "gone"], ["small"] * 2)],
    ids=["first", "second", "last"],
)
def test_a_cluster_that_envoy_does_not_have_ends_the_walk(
    house: House, chain: str, clusters: list[str], asked: list[str]
) -> None:
    reply = ask(house, chain, {CHAIN: walk(*clusters)})

    assert (reply.status, reply.json()["error"]["type"]) == (503, "api_error")
    assert [request.cluster for request in house.received] == asked


@ROUTES
@pytest.mark.parametrize("groups", [300, 30_000])
def test_a_list_that_is_too_long_is_walked_as_far_as_retries_go(house: House, chain: str, groups: int) -> None:
    reply = ask(house, chain, {CHAIN: walk(*["small"] * groups)})

    assert reply.status == 503
    assert [*house.asked] == ["small"]
    assert len(house.asked["small"]) == 3


@pytest.mark.parametrize("retries", ["", "-1", "x", "1e9", "99999999999999999999", "0"])
def test_retries_that_are_no_number_are_none(house: House, retries: str) -> None:
    ask(house, "fallback", {CHAIN: walk("small", "large")}, retries)

    assert [*house.asked] == ["small"]


def test_text_that_is_too_long_is_spliced_all_the_same(house: House) -> None:
    text = "x" * 5_000_000
    told = {"attempts": [{}, {"cluster": "large", "splices": [[0, 1, text]]}]}

    ask(house, "fallback", {CHAIN: walk("small", "large"), ATTEMPTS: told})

    assert house.asked["large"] == [text.encode() + house.chat(model="small-8b")[1:]]
