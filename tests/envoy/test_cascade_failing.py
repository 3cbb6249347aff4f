"""Models that fail in a cascade: the first, the second behind a doubted answer, or both."""

from __future__ import annotations

import json
from contextlib import nullcontext
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
  - {name: small-8b, cluster: small, served_name: org/small, cost: {input: 1, output: 2}}
  - {name: large-70b, cluster: large, cost: {input: 10, output: 20}}
  - {name: third-1b, cluster: third, cost: {input: 1, output: 1}}
rules:
  - {name: cascade, use: [small-8b, large-70b], cascade: {accept_at: 0.5, first_tokens: 4}}
fallback: {models: [third-1b], attempts: 3, stream_seconds: 1, answer_seconds: 1}
routing: {default: small-8b}
"""
DOUBTED = Behaviour(answer="refusal")
TROUBLE = {
    "refused": None,
    "429": Behaviour(status=429, retry_after_seconds=9),
    "500": Behaviour(status=500),
    "503": Behaviour(status=503),
    "529": Behaviour(status=529),
    "hangs": Behaviour(fault="hang"),
    "hangs in its headers": Behaviour(fault="hang", fault_at="mid_headers"),
    "reset": Behaviour(fault="reset"),
    "reset in its headers": Behaviour(fault="reset", fault_at="mid_headers"),
    "closed": Behaviour(fault="close"),
}
PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 50},
}


@pytest.fixture(scope="module")
def cascading(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(cascading: House) -> House:
    cascading.clear()
    return cascading


def failing(house: House, cluster: str, trouble: str) -> AbstractContextManager[None]:
    behaviour = TROUBLE[trouble]
    if behaviour is None:
        return house.down(cluster)
    house.server(cluster).behaviour = behaviour
    return nullcontext()


@pytest.mark.parametrize("trouble", TROUBLE)
def test_the_second_fails_and_the_first_ones_answer_was_kept(house: House, trouble: str) -> None:
    house.server("small").behaviour = DOUBTED
    body = house.chat()

    with failing(house, "large", trouble):
        reply = house.post(body)

    assert (reply.status, reply.json()["model"]) == (200, "org/small")
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["content-length"] == str(len(reply.body))
    assert [name for name in reply.headers if name.startswith(("x-llm", "x-cascade", "x-envoy", "retry"))] == []
    assert reply.json()["choices"][0]["logprobs"] is None
    assert house.asked.pop("small") == [b'{"logprobs":true,' + body.replace(b'"auto"', b'"org/small"')[1:]]
    assert set(house.asked) <= {"small", "large"}
    entry = house.access(reply.headers["x-request-id"])
    assert (entry["attempts"], entry["cluster"]) == (3, "small")
    record = house.cascade(reply.headers["x-request-id"])
    assert (record["verdict"], record["signs"]) == ("kept", ["refusal"])
    assert [paid["model"] for paid in record["attempts"]] == ["small-8b"]


@pytest.mark.parametrize("path", PATHS)
def test_every_api_has_its_answer_kept(house: House, path: str) -> None:
    house.server("small").behaviour = DOUBTED
    house.server("large").behaviour = Behaviour(status=503)

    reply = house.post(json.dumps({"model": "auto", **PATHS[path]}).encode(), path=path)

    assert (reply.status, reply.json()["model"]) == (200, "org/small")
    assert b'"logprob"' not in reply.body
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": 1, "large": 1}


def test_the_kept_answer_has_what_the_client_asked_for(house: House) -> None:
    house.server("small").behaviour = DOUBTED
    house.server("large").behaviour = Behaviour(status=503)

    reply = house.post(house.chat(logprobs=True))

    assert (reply.json()["model"], len(house.asked["small"])) == ("org/small", 1)
    assert reply.json()["choices"][0]["logprobs"]["content"]


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_first_fails_and_the_second_answers_unjudged(house: House, trouble: str, stream: bool) -> None:
    house.server("large").behaviour = DOUBTED

    with failing(house, "small", trouble):
        reply = house.post(house.chat(stream=stream))

    assert (reply.status, reply.whole) == (200, True)
    assert b'"model": "large-70b"' in reply.body
    assert b'"logprob"' not in reply.body
    assert (b'"usage"' in reply.body) is not stream
    sent = house.chat(stream=stream).replace(b'"auto"', b'"large-70b"')
    # No stream tells what it took unless it is asked to.
    assert house.asked["large"] == [b'{"stream_options":{"include_usage":true},' + sent[1:] if stream else sent]
    record = house.cascade(reply.headers["x-request-id"])
    assert (record["verdict"], [paid["model"] for paid in record["attempts"]]) == ("unjudged", ["large-70b"])


def test_the_first_two_fail_and_the_first_is_asked_again(house: House) -> None:
    """There is nothing kept; what it says now is served, without what nobody asked for."""
    house.server("small").play(Behaviour(status=503), DOUBTED)
    house.server("large").behaviour = Behaviour(status=503)

    reply = house.post(house.chat())

    assert (reply.status, reply.json()["model"]) == (200, "org/small")
    assert reply.json()["choices"][0]["logprobs"] is None
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": 2, "large": 1}
    assert house.asked["small"][0] == house.asked["small"][1]


def test_then_the_third_is_asked(house: House) -> None:
    house.server("small").behaviour = house.server("large").behaviour = Behaviour(status=503)

    reply = house.post(house.chat())

    assert (reply.status, reply.json()["model"]) == (200, "third-1b")
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": 2, "large": 1, "third": 1}
    assert house.asked["third"] == [house.chat().replace(b'"auto"', b'"third-1b"')]


@pytest.mark.parametrize("path", PATHS)
def test_everything_fails(house: House, path: str) -> None:
    with house.down("small", "large", "third"):
        reply = house.post(json.dumps({"model": "auto", **PATHS[path]}).encode(), path=path)

    assert (reply.status, reply.json()["type"], reply.json()["error"]["type"]) == (503, "error", "api_error")
    assert house.asked == {}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_is_the_clients_own_doing_passes_unjudged(house: House, status: int) -> None:
    house.server("small").behaviour = Behaviour(status=status)

    reply = house.post(house.chat())

    assert (reply.status, reply.json()["error"]["code"]) == (status, status)
    assert [*house.asked] == ["small"]


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_behind_a_doubted_answer_it_is_no_doing_of_the_clients(house: House, status: int) -> None:
    """The first model has taken the request: what it said is better than the second one's refusal."""
    house.server("small").behaviour = DOUBTED
    house.server("large").behaviour = Behaviour(status=status)

    reply = house.post(house.chat())

    assert (reply.status, reply.json()["model"]) == (200, "org/small")
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": 1, "large": 1}
    assert house.cascade(reply.headers["x-request-id"])["verdict"] == "kept"


def test_an_error_in_place_of_the_rest_of_the_second_answer_is_seen(house: House) -> None:
    house.server("small").behaviour = DOUBTED
    house.server("large").behaviour = Behaviour(fault="reset", fault_at="mid_answer")

    reply = house.post(house.chat())

    assert (reply.status, reply.whole) == (200, False)
    assert house.cascade(reply.headers["x-request-id"])["verdict"] == "escalated"


@pytest.mark.parametrize("fault", ["reset", "close", "hang"])
def test_an_answer_that_breaks_off_while_it_is_judged(house: House, fault: Any) -> None:
    """The client has nothing of it yet."""
    house.server("small").behaviour = Behaviour(fault=fault, fault_at="mid_answer")

    reply = house.post(house.chat())

    assert (reply.status, reply.json()["model"]) == (200, "large-70b")
