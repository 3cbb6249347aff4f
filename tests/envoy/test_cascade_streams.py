"""Streams in a cascade: held until their first tokens are judged, then flowing, or never seen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House, Reply

pytestmark = pytest.mark.envoy

FIRST_TOKENS = 6
CONFIG = f"""
models:
  - {{name: small-8b, cluster: small, served_name: org/small, cost: {{input: 1, output: 2}}}}
  - {{name: large-70b, cluster: large, cost: {{input: 10, output: 20}}}}
signals:
  - {{kind: header, name: want, header: x-want}}
rules:
  - name: cascade
    when: {{not: {{want: fallback}}}}
    use: [small-8b, large-70b]
    cascade: {{accept_at: 0.5, first_tokens: {FIRST_TOKENS}}}
  - {{name: fallback, use: [small-8b, large-70b]}}
fallback: {{stream_seconds: 2}}
routing: {{default: small-8b}}
"""
FALLBACK = [("x-want", "fallback")]
SPELLINGS = {
    "plain": Behaviour(),
    "byte by byte": Behaviour(split_bytes=1),
    "in pieces": Behaviour(split_bytes=7, answer_tokens=40),
    "many in one": Behaviour(events_per_write=5, answer_tokens=40),
    "all in one": Behaviour(events_per_write=1000, answer_tokens=40),
    "comments": Behaviour(comments=True, answer_tokens=10),
    "crlf": Behaviour(crlf=True, split_bytes=5),
    "no end": Behaviour(without_done=True),
    "long": Behaviour(answer_tokens=3000, events_per_write=50),
    "slow": Behaviour(ttft_seconds=0.3, tokens_per_second=50),
    "late headers": Behaviour(ttft_seconds=0.3, late_headers=True),
}
PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "What is 2 + 2?"}]},
    "/v1/completions": {"prompt": "What is 2 + 2?"},
    "/v1/responses": {"input": "What is 2 + 2?"},
    "/v1/messages": {"messages": [{"role": "user", "content": "What is 2 + 2?"}], "max_tokens": 50},
}
NUMBERS = re.compile(rb"_tokens\": \d+")
# Its end comes long after it was doubted.
LONG_REFUSAL = Behaviour(answer="refusal", answer_tokens=40, tokens_per_second=100)


@pytest.fixture(scope="module")
def cascading(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(cascading: House) -> House:
    cascading.clear()
    return cascading


def ask(house: House, headers: list[tuple[str, str]] | None = None, **more: Any) -> Reply:
    reply = house.post(house.chat(stream=True, **more), headers or [])
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream")
    assert [name for name in reply.headers if name.startswith(("x-llm", "x-cascade", "x-envoy"))] == []
    return reply


def without_comments(reply: Reply) -> bytes:
    """A stream's bytes; a comment stays where the event behind it is kept back."""
    return reply.body.replace(b": keep-alive\n\n", b"")


@pytest.mark.parametrize("behaviour", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_good_one_reaches_the_client_as_if_nobody_had_looked(house: House, behaviour: Behaviour) -> None:
    house.server("small").behaviour = behaviour

    judged, unjudged = ask(house), ask(house, FALLBACK)

    assert judged.whole
    assert without_comments(judged) == without_comments(unjudged)
    assert b'"logprob"' not in judged.body
    first, second = (json.loads(body) for body in house.asked.pop("small"))
    assert (first.pop("logprobs"), first.pop("stream_options")) == (True, {"include_usage": True})
    assert first == second
    record = house.cascade(judged.headers["x-request-id"])
    assert record["verdict"] == "accepted"
    [paid] = record["attempts"]
    assert (paid["counted"], paid["completion_tokens"]) == (True, max(5, behaviour.answer_tokens))


@pytest.mark.parametrize(
    "more",
    [{"logprobs": True}, {"stream_options": {"include_usage": True}}],
    ids=["log-probabilities", "usage"],
)
def test_what_the_client_asked_for_stays(house: House, more: dict[str, Any]) -> None:
    judged, unjudged = ask(house, **more), ask(house, FALLBACK, **more)

    asks_usage = "stream_options" in more
    assert (b'"logprob"' in judged.body, b'"completion_tokens"' in judged.body) == (not asks_usage, asks_usage)
    assert NUMBERS.sub(b"", judged.body) == NUMBERS.sub(b"", unjudged.body)


@pytest.mark.parametrize("behaviour", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("kind", ["bad", "refusal", "empty"])
def test_a_doubted_one_is_never_seen(house: House, kind: Any, behaviour: Behaviour) -> None:
    house.server("small").behaviour = replace(behaviour, answer=kind)
    house.server("large").behaviour = behaviour

    reply = ask(house)

    with house.down("small"):
        expected = ask(house, FALLBACK)
    assert reply.whole
    assert without_comments(reply) == without_comments(expected)
    record = house.cascade(reply.headers["x-request-id"])
    assert (record["verdict"], len(record["attempts"]), record["attempts"][1]["counted"]) == ("escalated", 2, True)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["good", "refusal"])
def test_every_api(house: House, path: str, kind: Any) -> None:
    house.server("small").behaviour = Behaviour(answer=kind, answer_tokens=20)
    body = json.dumps({"model": "auto", "stream": True, **PATHS[path]}).encode()

    judged = house.post(body, path=path)
    unjudged = house.post(body, FALLBACK, path=path)

    assert (judged.status, judged.whole) == (200, True)
    assert b'"logprob"' not in judged.body
    assert (b"large-70b" in judged.body) is (kind == "refusal")
    if kind == "good":
        assert NUMBERS.sub(b"", judged.body) == NUMBERS.sub(b"", unjudged.body)
    assert len(house.asked.get("large", [])) == (1 if kind == "refusal" else 0)
    verdict = house.cascade(judged.headers["x-request-id"])["verdict"]
    assert verdict == ("accepted" if kind == "good" else "escalated")


def test_what_follows_the_first_tokens_is_not_judged(house: House) -> None:
    # It ends too early, and long after those.
    house.server("small").behaviour = Behaviour(answer="truncated", answer_tokens=50, tokens_per_second=50)

    judged = ask(house)

    assert b'"finish_reason": "length"' in judged.body
    assert [*house.asked] == ["small"]


def test_an_accepted_one_flows_while_it_is_spoken(house: House) -> None:
    """The server says no more after some tokens; the client has read all of those."""
    tokens = FIRST_TOKENS + 3
    house.server("small").behaviour = Behaviour(
        answer_tokens=40, fault="hang", fault_at="mid_answer", fault_after_tokens=tokens
    )

    with house.client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "hi"}], stream=True
    ) as stream:
        heard = [chunk.choices[0].delta.content for _, chunk in zip(range(tokens + 1), stream, strict=False)]

    assert len([text for text in heard if text]) == tokens
    assert [*house.asked] == ["small"]


def test_one_that_breaks_off_while_it_is_held_is_never_seen(house: House) -> None:
    for fault in ("reset", "close", "error"):
        house.clear()
        house.server("small").behaviour = Behaviour(fault=fault, fault_at="mid_answer", fault_after_tokens=2)

        reply = ask(house)

        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert b"org/small" not in reply.body
        assert [*house.asked] == ["small", "large"]


@pytest.mark.parametrize("fault", ["hang", "late"])
def test_one_that_is_silent_while_it_is_held_is_never_seen(house: House, fault: str) -> None:
    """Its headers were there, but the client has nothing yet: silence counts until its first tokens."""
    slow = Behaviour(ttft_seconds=30)
    hanging = Behaviour(fault="hang", fault_at="mid_answer", fault_after_tokens=2)
    house.server("small").behaviour = slow if fault == "late" else hanging

    reply = ask(house)

    assert reply.body.endswith(b"data: [DONE]\n\n")
    assert b"org/small" not in reply.body
    assert house.cascade(reply.headers["x-request-id"])["verdict"] == "unjudged"


def test_one_that_breaks_off_later_is_seen_to_be_broken(house: House) -> None:
    for server in ("small", "large"):
        house.clear()
        house.server("small").behaviour = LONG_REFUSAL
        house.server(server).behaviour = Behaviour(
            answer_tokens=40, fault="reset", fault_at="mid_answer", fault_after_tokens=20
        )

        reply = ask(house)

        assert not reply.whole
        assert b"[DONE]" not in reply.body
        assert [*house.asked][-1] == server


def test_the_second_fails_and_the_first_is_asked_again(house: House) -> None:
    """Of a long one only the beginning was known: nothing was kept."""
    house.server("small").behaviour = LONG_REFUSAL
    house.server("large").behaviour = Behaviour(status=503)

    reply = ask(house)

    assert reply.body == ask(house, FALLBACK).body
    assert b'"model": "org/small"' in reply.body
    assert b'"logprob"' not in reply.body
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": 3, "large": 1}
    assert house.cascade(reply.headers["x-request-id"])["verdict"] == "kept"


def test_the_second_fails_and_a_short_one_was_kept(house: House) -> None:
    house.server("small").behaviour = Behaviour(answer="empty")
    house.server("large").behaviour = Behaviour(status=503)

    reply = ask(house)

    assert reply.body.endswith(b"data: [DONE]\n\n")
    assert b'"logprob"' not in reply.body
    assert {cluster: len(bodies) for cluster, bodies in house.asked.items()} == {"small": 1, "large": 1}
    assert house.cascade(reply.headers["x-request-id"])["verdict"] == "kept"
