"""A model fails before its first byte: Envoy asks the next one, and the client sees one clean answer."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House, Reply

pytestmark = pytest.mark.envoy

CONFIG = """
models:
  - {name: small-8b, cluster: small, served_name: org/small, apis: [chat_completions, anthropic_messages]}
  - {name: large-70b, cluster: large, served_name: "large \\u00e9"}
  - {name: code-32b, cluster: code}
  - {name: last-1b, cluster: last}
fallback: {models: [large-70b, code-32b, last-1b], attempts: 3, stream_seconds: 1, answer_seconds: 1}
routing: {default: small-8b}
"""
SERVED = {"small": "org/small", "large": "large \u00e9", "code": "code-32b"}
# What is wrong with the first model: none of it has reached the client.
TROUBLE = {
    "429": Behaviour(status=429, retry_after_seconds=30),
    "500": Behaviour(status=500),
    "502": Behaviour(status=502),
    "503": Behaviour(status=503),
    "504": Behaviour(status=504),
    "529": Behaviour(status=529),
    "hangs": Behaviour(fault="hang"),
    "hangs in its headers": Behaviour(fault="hang", fault_at="mid_headers"),
    "reset": Behaviour(fault="reset"),
    "reset in its headers": Behaviour(fault="reset", fault_at="mid_headers"),
    "closed": Behaviour(fault="close"),
    "closed in its headers": Behaviour(fault="close", fault_at="mid_headers"),
}
STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
PATHS = pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])


@pytest.fixture(scope="module")
def chained(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(chained: House) -> House:
    chained.clear()
    return chained


def text_of(reply: Reply) -> str:
    """What a chat answer says, whole or as a stream."""
    if reply.headers["content-type"] == "application/json":
        text: str = reply.json()["choices"][0]["message"]["content"]
        return text
    events = reply.body.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


def body_for(house: House, cluster: str, **more: Any) -> bytes:
    """What a cluster's servers shall get: the client's own bytes, and another model."""
    return house.chat(model="auto", **more).replace(b'"auto"', json.dumps(SERVED[cluster]).encode())


@STREAMS
@pytest.mark.parametrize("trouble", [*TROUBLE, "refused"])
def test_the_next_model_answers(house: House, trouble: str, stream: bool) -> None:
    house.server("small").behaviour = TROUBLE.get(trouble, Behaviour())

    with house.down("small") if trouble == "refused" else nullcontext():
        reply = house.post(house.chat(stream=stream))

    assert (reply.status, text_of(reply)) == (200, "large \u00e9 on large says hello.")
    assert [name for name in reply.headers if name.startswith(("x-llm", "x-envoy", "x-cascade", "retry-after"))] == []
    bodies = {"small": [body_for(house, "small", stream=stream)], "large": [body_for(house, "large", stream=stream)]}
    if trouble == "refused":
        del bodies["small"]
    assert house.asked == bodies
    entry = house.access(reply.headers["x-request-id"])
    assert (entry["route"], entry["cluster"], entry["attempts"]) == ("chain", "large", 2)
    decision = house.decision(reply.headers["x-request-id"])
    assert decision["chain"] == ["small-8b", "large-70b", "code-32b"]


def test_two_models_fail_and_the_third_answers(house: House) -> None:
    house.server("small").behaviour = TROUBLE["reset"]
    house.server("large").behaviour = TROUBLE["503"]

    reply = house.post(house.chat())

    assert (reply.status, text_of(reply)) == (200, "code-32b on code says hello.")
    assert house.asked == {cluster: [body_for(house, cluster)] for cluster in SERVED}


@STREAMS
def test_no_more_models_are_asked_than_the_config_allows(house: House, stream: bool) -> None:
    for server in house.stack.servers.values():
        server.behaviour = TROUBLE["429"]

    reply = house.post(house.chat(stream=stream))

    # What the last of them said, with its Retry-After.
    assert (reply.status, reply.headers["retry-after"]) == (429, "30")
    assert reply.json()["error"]["code"] == 429
    assert house.asked == {cluster: [body_for(house, cluster, stream=stream)] for cluster in SERVED}


@PATHS
@pytest.mark.parametrize(
    ("trouble", "stream"), [("refused", False), ("hangs", False), ("reset", False), ("reset", True)]
)
def test_without_any_answer_the_client_gets_a_clear_one(house: House, trouble: str, path: str, stream: bool) -> None:
    for server in house.stack.servers.values():
        server.behaviour = TROUBLE.get(trouble, Behaviour())
    clusters = tuple(house.stack.servers) if trouble == "refused" else ()

    with house.down(*clusters):
        reply = house.post(house.chat(stream=stream, max_tokens=5), path=path)

    assert reply.status == (504 if trouble == "hangs" else 503)
    assert reply.headers["content-type"] == "application/json"
    said = reply.json()
    assert (said["type"], said["error"]["type"]) == ("error", "api_error")
    assert set(said["error"]) == {"message", "type", "param", "code"}
    assert said["error"]["message"].startswith("The gateway has no answer from a model server: ")
    assert "127.0.0.1" not in reply.body.decode()


@STREAMS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_is_the_clients_own_doing_passes(house: House, status: int, stream: bool) -> None:
    house.server("small").behaviour = Behaviour(status=status)

    reply = house.post(house.chat(stream=stream))

    assert reply.status == status
    assert reply.json()["error"]["code"] == status
    assert house.asked == {"small": [body_for(house, "small", stream=stream)]}


@pytest.mark.parametrize("fault", ["reset", "close"])
def test_a_stream_that_breaks_off_is_seen_to_be_broken(house: House, fault: str) -> None:
    house.server("small").behaviour = Behaviour(fault=fault, fault_at="mid_answer", fault_after_tokens=2)  # type: ignore[arg-type]

    reply = house.post(house.chat(stream=True))

    assert (reply.status, reply.whole) == (200, False)
    assert b"org/small " in reply.body
    assert b"[DONE]" not in reply.body
    assert [*house.asked] == ["small"]


def test_an_answer_that_breaks_off_is_seen_to_be_broken(house: House) -> None:
    house.server("small").behaviour = Behaviour(fault="reset", fault_at="mid_answer")

    reply = house.post(house.chat())

    assert (reply.status, reply.whole) == (200, False)
    assert [*house.asked] == ["small"]


def test_a_slow_stream_that_has_begun_stays_where_it_is(house: House) -> None:
    """Silence counts before the first byte alone."""
    house.server("small").behaviour = Behaviour(ttft_seconds=1.5)

    reply = house.post(house.chat(stream=True))

    assert text_of(reply) == "org/small on small says hello."
    assert [*house.asked] == ["small"]


def test_a_stream_that_is_silent_from_the_beginning_moves_on(house: House) -> None:
    house.server("small").behaviour = Behaviour(ttft_seconds=60, late_headers=True)

    assert text_of(house.post(house.chat(stream=True))) == "large \u00e9 on large says hello."
    assert [*house.asked] == ["small", "large"]


def test_a_model_that_is_named_has_no_other_behind_it(house: House) -> None:
    house.server("small").behaviour = TROUBLE["429"]

    reply = house.post(house.chat(model="small-8b"))

    assert reply.status == 429
    assert [*house.asked] == ["small"]
    assert house.access(reply.headers["x-request-id"])["route"] == "decided"


@PATHS
def test_each_api_is_answered_by_the_next_model(house: House, path: str) -> None:
    house.server("small").behaviour = TROUBLE["503"]

    reply = house.post(house.chat(max_tokens=50), path=path)

    assert reply.json()["model"] == SERVED["large"]
    assert house.asked == {name: [body_for(house, name, max_tokens=50)] for name in ("small", "large")}
