"""A verifier that is dead, hangs, or talks nonsense: the first answer flows, unjudged."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab import stack as lab
from extproc_router.lab.envoy_file import address
from extproc_router.lab.processes import running
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, cost: {input: 1, output: 2}, logprobs: false}
  - {name: large-70b, cluster: large, cost: {input: 10, output: 20}}
rules:
  - {name: cascade, use: [small-8b, large-70b], cascade: {accept_at: 0.5, first_tokens: 4}}
fallback: {answer_seconds: 2, stream_seconds: 2}
routing: {default: small-8b}
"""
PROGRAM = Path(__file__).with_name("scripted_verifier.py")
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
LONG = 400_000  # tokens, of five bytes each
DOUBTED = Behaviour(answer="refusal", answer_tokens=20)
BETWEEN = "response_body:hangs"
WRONG = [
    f"{place}:{what}"
    for place in ("request_headers", "response_headers", "response_body")
    for what in (
        "hangs",
        "closes",
        "fails",
        "is late",
        "talks twice",
        "is ahead",
        "is behind",
        "talks rubbish",
        "says nothing",
        "touches what it may not",
    )
    if f"{place}:{what}" != BETWEEN
]


def verified_at(where: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Move the verifier, and wait for it half a second at most."""

    def change(bootstrap: dict[str, Any]) -> dict[str, Any]:
        for cluster in bootstrap["static_resources"]["clusters"]:
            if cluster["name"] == "extproc_router_verifier":
                [group] = cluster["load_assignment"]["endpoints"]
                group["lb_endpoints"] = [{"endpoint": {"address": address(where)}}]
            for options in cluster.get("typed_extension_protocol_options", {}).values():
                for each in options.get("http_filters", ()):
                    if each["name"] == "llm.verify":
                        each["typed_config"]["message_timeout"] = "0.5s"
        return bootstrap

    return change


@pytest.fixture(scope="module")
def scripted(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with ExitStack() as parts:
        directory = parts.enter_context(lab.workspace())
        socket = directory / "scripted.sock"
        where = f"unix:{socket}"
        parts.enter_context(running([sys.executable, PROGRAM, where], name="scripted", directory=directory))
        house = parts.enter_context(open_house(CONFIG, change=verified_at(where)))
        house.eventually(socket.exists)
        yield house
        assert house.stack.envoy.child.process.poll() is None


@pytest.fixture
def house(scripted: House) -> House:
    scripted.clear()
    return scripted


def serves_small(house: House, headers: list[tuple[str, str]], *, stream: bool) -> None:
    house.server("small").behaviour = DOUBTED

    reply = house.post(house.chat(stream=stream), headers)

    assert (reply.status, reply.whole) == (200, True)
    assert reply.headers["content-type"] == ("text/event-stream" if stream else "application/json")
    assert b'"model": "small-8b"' in reply.body
    assert reply.body.endswith(b"data: [DONE]\n\n") if stream else reply.json()["choices"]
    assert [name for name in reply.headers if name.startswith(("x-", "set-cookie")) and name != "x-request-id"] == []
    assert [*house.asked] == ["small"]


@STREAMS
@pytest.mark.parametrize("script", WRONG)
def test_whatever_it_does_the_answer_flows(house: House, script: str, stream: bool) -> None:
    serves_small(house, [("x-script", script)], stream=stream)


@pytest.mark.parametrize(
    "script", [f"{place}:{what}" for place in ("response_headers", "response_body") for what in ("closes", "fails")]
)
def test_a_long_answer_flows_too(house: House, script: str) -> None:
    """More of it has come by then than Envoy's buffers hold by default."""
    house.server("small").behaviour = Behaviour(answer_tokens=LONG)

    replies = [house.post(house.chat(), [("x-script", script)]) for _ in range(3)]

    assert [(reply.status, reply.whole, len(reply.body) > 5 * LONG) for reply in replies] == [(200, True, True)] * 3


def test_a_long_answer_flows_after_the_time_for_it(house: House) -> None:
    house.server("small").behaviour = Behaviour(answer_tokens=LONG)

    reply = house.post(house.chat(), [("x-script", "response_headers:hangs")])

    assert (reply.status, reply.whole, len(reply.body) > 5 * LONG) == (200, True, True)


@STREAMS
def test_one_that_hangs_in_the_middle_is_a_slow_model(house: House, stream: bool) -> None:
    """Envoy 1.40 has no timer for chunks that it sent before the headers were answered; its own time counts."""
    reply = house.post(house.chat(stream=stream), [("x-script", BETWEEN)])

    assert (reply.status, reply.whole) == (200, True)
    assert stream or (reply.json()["model"], [*house.asked]) == ("large-70b", ["small", "large"])


@STREAMS
def test_one_that_doubts_everything_ends_with_an_answer(house: House, stream: bool) -> None:
    """The retry budget is spent: what was doubted last flows, and nobody is told."""
    reply = house.post(house.chat(stream=stream), [("x-script", "response_headers:doubts:always")])

    assert (reply.status, reply.whole) == (200, True)
    assert [name for name in reply.headers if name.startswith("x-cascade")] == []
    assert house.access(reply.headers["x-request-id"])["attempts"] == 3
    assert [request.cluster for request in house.received] == ["small", "small", "large"]


@STREAMS
def test_one_that_hangs_is_waited_for_once(house: House, stream: bool) -> None:
    serves_small(house, [("x-script", "response_headers:hangs:always")], stream=stream)


def test_one_that_was_never_there(open_house: Callable[..., AbstractContextManager[House]]) -> None:
    with open_house(CONFIG, change=verified_at("unix:/nowhere/verifier.sock")) as house:
        for stream in (False, True):
            house.clear()
            serves_small(house, [], stream=stream)
            house.clear()
            house.server("small").behaviour = Behaviour(status=503)
            assert b'"model": "large-70b"' in house.post(house.chat(stream=stream)).body


def test_one_whose_socket_was_removed_comes_back(open_house: Callable[..., AbstractContextManager[House]]) -> None:
    with open_house(CONFIG) as house:
        house.server("small").behaviour = DOUBTED
        assert house.post(house.chat()).json()["model"] == "large-70b"
        house.stack.router.verifier.unlink()

        house.eventually(house.stack.router.verifier.exists)
        house.eventually(lambda: house.post(house.chat()).json()["model"] == "large-70b")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_one_that_dies_while_it_holds_an_answer(
    open_house: Callable[..., AbstractContextManager[House]], stream: bool
) -> None:
    with open_house(CONFIG.replace("seconds: 2", "seconds: 30")) as house, ThreadPoolExecutor(1) as client:
        house.server("small").behaviour = Behaviour(
            ttft_seconds=0.5, answer_tokens=20, tokens_per_second=20 if stream else None
        )
        pending = client.submit(house.post, house.chat(stream=stream))
        house.eventually(lambda: house.server("small").total)
        house.stack.router.child.kill()
        reply = pending.result(30)

        assert (reply.status, reply.whole, [*house.asked]) == (200, True, ["small"])
        assert b'"model": "small-8b"' in reply.body
        assert reply.body.endswith(b"data: [DONE]\n\n") is stream
