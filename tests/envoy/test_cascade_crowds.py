"""Many at once: escalations, a router that dies under them, clients that leave."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab import stack as lab
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from extproc_router.lab.simulator import ModelServer
    from tests.envoy.conftest import House, Reply

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, cost: {input: 1, output: 2}}
  - {name: large-70b, cluster: large, cost: {input: 10, output: 20}}
rules:
  - {name: cascade, use: [small-8b, large-70b], cascade: {accept_at: 1, first_tokens: 6}}
fallback: {stream_seconds: 60, answer_seconds: 60}
routing: {default: small-8b}
"""
MODELS = ("small-8b", "large-70b")
CROWD, CLIENTS = 100, 50
DOUBTED = Behaviour(answer="refusal", answer_tokens=20)
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def crowded(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(crowded: House) -> House:
    crowded.clear()
    return crowded


def verdicts(house: House) -> Counter[str]:
    """How many cascades have come to which end."""
    counted = Counter[str]()
    for verdict in ("accepted", "escalated", "kept", "doubted", "unjudged", "failed"):
        counted[verdict] = int(house.metric("extproc_router_cascades_total", verdict=verdict))
    return counted


def crowd(house: House, **more: Any) -> list[Reply]:
    """As many requests at once, each with words of its own."""
    with ThreadPoolExecutor(CROWD) as clients:
        return list(clients.map(lambda number: house.post(house.chat(f"Number {number}.", **more)), range(CROWD)))


@STREAMS
def test_all_at_once_are_escalated(house: House, stream: bool) -> None:
    house.server("small").behaviour = DOUBTED
    before = verdicts(house)

    replies = crowd(house, stream=stream)

    assert Counter((reply.status, reply.whole) for reply in replies) == {(200, True): CROWD}
    assert all(b'"model": "large-70b"' in reply.body and b"sorry" not in reply.body for reply in replies)
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": CROWD, "large": CROWD}
    house.eventually(lambda: verdicts(house) - before == {"escalated": CROWD})


def test_all_at_once_get_their_own_kept_answers(house: House) -> None:
    house.server("small").behaviour = Behaviour(answer="bad")
    house.server("large").behaviour = Behaviour(status=503)
    expected = [reply.json()["choices"] for reply in crowd(house, model="small-8b")]
    assert len({str(choices) for choices in expected}) > CROWD // 2
    house.server("small").received.clear()
    before = verdicts(house)

    replies = crowd(house)

    assert [reply.json()["choices"] for reply in replies] == expected
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": CROWD, "large": CROWD}
    house.eventually(lambda: verdicts(house) - before == {"kept": CROWD})


@STREAMS
def test_all_at_once_with_a_first_model_that_is_down(house: House, stream: bool) -> None:
    with house.down("small"):
        replies = crowd(house, stream=stream)

    assert Counter((reply.status, reply.whole) for reply in replies) == {(200, True): CROWD}
    assert len(house.asked["large"]) == CROWD


@STREAMS
def test_a_client_that_leaves_during_the_second_attempt(
    open_house: Callable[..., AbstractContextManager[House]], stream: bool
) -> None:
    with open_house(CONFIG) as house:
        house.server("small").behaviour = DOUBTED
        house.server("large").behaviour = Behaviour(fault="hang")
        leave(house, house.chat(stream=stream), lambda: house.server("large").total)

        house.eventually(lambda: house.server("large").cut_off)
        house.eventually(lambda: house.metric("extproc_router_open_streams") == 0)
        assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": 1, "large": 1}
        # Nobody else's request is touched by it, and what was kept for it is told of in the end.
        house.server("large").behaviour = Behaviour()
        assert b'"model": "large-70b"' in house.post(house.chat()).body
        assert house.stack.router.child.stop() == 0
        told = [line for line in lab.read_json_lines(house.stack.router.decisions) if line.get("kind") == "cascade"]
        assert sorted((line["verdict"], len(line["attempts"])) for line in told) == [("doubted", 1), ("escalated", 2)]


@STREAMS
def test_a_client_that_leaves_while_the_first_answer_is_held(house: House, stream: bool) -> None:
    house.server("small").behaviour = Behaviour(
        answer_tokens=20, fault="hang", fault_at="mid_answer", fault_after_tokens=3
    )

    leave(house, house.chat(stream=stream), lambda: house.server("small").total)

    house.eventually(lambda: house.server("small").cut_off)
    house.eventually(lambda: house.metric("extproc_router_open_streams") == 0)
    assert [*house.asked] == ["small"]


def leave(house: House, body: bytes, ready: Callable[[], Any]) -> None:
    """Ask, and hang up as soon as something has happened."""
    with closing(socket.create_connection(("127.0.0.1", house.stack.envoy.port))) as client:
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        house.eventually(ready)


def test_a_router_that_dies_and_comes_back_under_a_crowd(
    open_house: Callable[..., AbstractContextManager[House]], tmp_path: Path
) -> None:
    """No request hangs, and each gets a model's whole answer: without the router, the default model's."""
    config, enough = tmp_path / "router.yaml", threading.Event()
    config.write_text(CONFIG)
    with open_house(CONFIG) as house, ThreadPoolExecutor(CLIENTS) as clients:
        small, large = house.server("small"), house.server("large")
        small.behaviour = Behaviour(answer="refusal", ttft_seconds=0.02)

        def ask(number: int) -> Counter[tuple[int, str]]:
            ended = Counter[tuple[int, str]]()
            while not enough.is_set():
                reply = house.post(house.chat(f"Number {number}.", stream=ended.total() % 2 == 1))
                ended[reply.status, answered_by(reply)] += 1
            return ended

        def goes_on(server: ModelServer) -> None:
            seen = server.total
            house.eventually(lambda: server.total >= seen + CLIENTS)

        pending = [clients.submit(ask, number) for number in range(CLIENTS)]
        try:
            goes_on(large)
            house.stack.router.child.kill()
            goes_on(small)
            with lab.router(house.stack.directory, config=config):
                goes_on(large)
                enough.set()
                ended = sum((one.result(60) for one in pending), Counter[tuple[int, str]]())
        finally:
            enough.set()

    assert set(ended) == {(200, "large-70b"), (200, "small-8b")}
    assert ended.total() >= 3 * CLIENTS


def answered_by(reply: Reply) -> str:
    """The model that answered; what the error says where none did; nothing where the answer was cut off."""
    if reply.status != 200:
        return str(reply.json()["error"]["code"])
    whole = reply.whole and (reply.headers["content-type"] == "application/json" or reply.body.endswith(b"[DONE]\n\n"))
    return next((model for model in MODELS if f'"model": "{model}"'.encode() in reply.body), "") if whole else ""
