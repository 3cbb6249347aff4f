"""Prompts that are too long for a model: known beforehand, or told by its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {{name: tiny-1b, cluster: tiny, context_window: 300}}
  - {{name: small-8b, cluster: small}}
  - {{name: large-70b, cluster: large}}
rules: [{{name: all, use: [tiny-1b, small-8b, large-70b]}}]
fallback: {{on_context_length: {moves}}}
routing: {{default: large-70b}}
"""
LONG = "All work and no play makes Jack a dull boy. " * 100
SHORT = Behaviour(max_model_len=500)
PATHS = pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def both(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[dict[bool, House]]:
    with open_house(CONFIG.format(moves="true")) as moving, open_house(CONFIG.format(moves="false")) as staying:
        yield {True: moving, False: staying}


@pytest.fixture(params=[True, False], ids=["opted in", "by default"])
def moves(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def house(both: dict[bool, House], moves: bool) -> House:
    both[moves].clear()
    return both[moves]


def test_a_window_that_is_known_to_be_too_small_is_never_tried(house: House) -> None:
    short, long = house.post(house.chat("hi")), house.post(house.chat(LONG))

    assert [reply.json()["model"] for reply in (short, long)] == ["tiny-1b", "small-8b"]
    with house.down("small", "large"):
        assert house.post(house.chat(LONG)).status == 503
    assert len(house.asked["tiny"]) == 1


@PATHS
@STREAMS
def test_a_server_that_says_so(house: House, moves: bool, path: str, stream: bool) -> None:
    house.server("small").behaviour = SHORT

    reply = house.post(house.chat(LONG, stream=stream, max_tokens=50), path=path)

    if moves:
        assert reply.status == 200
        assert b'"model": "large-70b"' in reply.body
        assert [*house.asked] == ["small", "large"]
    else:
        assert reply.status == 400
        assert ("too long" if path == "/v1/messages" else "maximum context length") in reply.json()["error"]["message"]
        assert [*house.asked] == ["small"]
    assert [name for name in reply.headers if name.startswith("x-llm")] == []


@PATHS
def test_nobody_has_room_for_it(house: House, path: str) -> None:
    for server in house.stack.servers.values():
        server.behaviour = SHORT

    reply = house.post(house.chat(LONG, max_tokens=50), path=path)

    # The last one's own words, whole.
    assert reply.status == 400
    assert ("too long" if path == "/v1/messages" else "maximum context length") in reply.json()["error"]["message"]
    assert reply.headers["content-length"] == str(len(reply.body))
    assert [name for name in reply.headers if name.startswith("x-llm")] == []


def test_any_other_400_passes(house: House) -> None:
    house.server("small").behaviour = Behaviour(status=400)

    reply = house.post(house.chat(LONG))

    assert (reply.status, reply.json()["error"]["code"]) == (400, 400)
    assert reply.headers["content-length"] == str(len(reply.body))
    assert [*house.asked] == ["small"]


def test_an_answer_that_speaks_of_it_is_an_answer(house: House) -> None:
    reply = house.post(house.chat("What is this model's maximum context length? context_length_exceeded"))

    assert (reply.status, [*house.asked]) == (200, ["tiny"])
