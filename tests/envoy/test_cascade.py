"""A cascade's first answer, judged before the client sees it: served, or another model's in its place."""

from __future__ import annotations

import json
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
  - {name: small-8b, cluster: small, served_name: org/small, cost: {input: 1, output: 2}}
  - {name: large-70b, cluster: large, cost: {input: 10, output: 20}}
signals:
  - {kind: header, name: want, header: x-want}
rules:
  - {name: cascade, when: {not: {want: fallback}}, use: [small-8b, large-70b], cascade: {accept_at: 0.5}}
  - {name: fallback, use: [small-8b, large-70b]}
verifier: {weights: {hedges: -1}}
routing: {default: small-8b}
"""
PRICES = ("small-8b", "large-70b")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
JSON = {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}}
TOOLS = {"tools": [{"type": "function", "function": {"name": "add", "parameters": SCHEMA}}]}
# Kind of answer -> what more the request says, and what speaks against it.
DOUBTED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "bad": ({}, ["confidence"]),
    "hedging": ({}, ["confidence"]),
    "refusal": ({}, ["refusal"]),
    "marked_refusal": ({}, ["refusal"]),
    "empty": ({}, ["empty"]),
    "truncated": ({}, ["truncated"]),
    "invalid_json": (JSON, ["json"]),
    "good": (JSON, ["json"]),  # no JSON at all
    "broken_tool_call": (TOOLS, ["tool_call"]),
}
ACCEPTED: dict[str, dict[str, Any]] = {
    "good": {},
    "plain": {},
    "json": JSON,
    "tool_call": TOOLS,
    "truncated": {"max_tokens": 64},  # the client wanted it short
    "invalid_json": {},  # nobody asked for JSON
}
PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "What is 2 + 2?"}]},
    "/v1/completions": {"prompt": "What is 2 + 2?"},
    "/v1/responses": {"input": "What is 2 + 2?"},
    "/v1/messages": {"messages": [{"role": "user", "content": "What is 2 + 2?"}], "max_tokens": 50},
}
API = pytest.mark.parametrize("path", PATHS)


@pytest.fixture(scope="module")
def cascading(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(cascading: House) -> House:
    cascading.clear()
    return cascading


def clean(reply: Reply) -> Any:
    """The document of an answer without any trace of how it came about."""
    assert reply.status == 200
    assert reply.headers["content-length"] == str(len(reply.body))
    assert [name for name in reply.headers if name.startswith(("x-llm", "x-cascade", "x-envoy"))] == []
    return reply.json()


def asks_for_logprobs(body: bytes) -> bool:
    document = json.loads(body)
    return bool(document.get("logprobs") is not None or "message.output_text.logprobs" in document.get("include", []))


@pytest.mark.parametrize("kind", ACCEPTED)
def test_a_good_answer_is_served_as_it_came(house: House, kind: Any) -> None:
    house.server("small").behaviour = Behaviour(answer=kind)
    body = house.chat(**ACCEPTED[kind])

    reply = house.post(body)
    unjudged = house.post(body, [("x-want", "fallback")])

    # One difference in what was asked: the log-probabilities, which the client does not see.
    answer, other = clean(reply), clean(unjudged)
    assert answer.pop("usage")["prompt_tokens"] >= other.pop("usage")["prompt_tokens"]
    assert answer == other
    judged, plain = house.asked.pop("small")
    assert plain == body.replace(b'"auto"', b'"org/small"')
    assert judged == b'{"logprobs":true,' + plain[1:]
    record = house.cascade(reply.headers["x-request-id"])
    assert (record["verdict"], record["signs"], len(record["attempts"])) == ("accepted", [], 1)


@pytest.mark.parametrize("kind", DOUBTED)
def test_a_doubted_answer_is_never_seen(house: House, kind: Any) -> None:
    more, signs = DOUBTED[kind]
    house.server("small").behaviour = Behaviour(answer=kind)
    house.server("large").behaviour = Behaviour(answer="json" if more is JSON else "good")
    body = house.chat(**more)

    reply = house.post(body)

    answer = clean(reply)
    assert (answer["model"], answer["choices"][0]["logprobs"]) == ("large-70b", None)
    [small], [large] = house.asked["small"], house.asked["large"]
    assert small == b'{"logprobs":true,' + body.replace(b'"auto"', b'"org/small"')[1:]
    assert large == body.replace(b'"auto"', b'"large-70b"')
    entry = house.access(reply.headers["x-request-id"])
    assert (entry["route"], entry["cluster"], entry["attempts"]) == ("cascade", "large", 2)
    record = house.cascade(reply.headers["x-request-id"])
    assert (record["verdict"], record["signs"]) == ("escalated", signs)


def test_both_attempts_are_paid_for(house: House) -> None:
    house.server("small").behaviour = Behaviour(answer="bad", answer_tokens=50)
    before = {model: house.metric("extproc_router_cascade_cost_usd_total", model=model) for model in PRICES}

    reply = house.post(house.chat())

    usage = clean(reply)["usage"]
    assert house.decision(reply.headers["x-request-id"])["cascade"] == "large-70b"
    weak, strong = house.cascade(reply.headers["x-request-id"])["attempts"]
    assert (weak["model"], weak["completion_tokens"], weak["counted"]) == ("small-8b", 50, True)
    assert weak["cost_usd"] == pytest.approx((weak["prompt_tokens"] + 2 * 50) / 1e6)
    assert (strong["model"], strong["counted"]) == ("large-70b", True)
    assert (strong["prompt_tokens"], strong["completion_tokens"]) == (
        usage["prompt_tokens"],
        usage["completion_tokens"],
    )
    assert strong["cost_usd"] == pytest.approx((10 * usage["prompt_tokens"] + 20 * usage["completion_tokens"]) / 1e6)
    for paid in (weak, strong):
        after = house.metric("extproc_router_cascade_cost_usd_total", model=paid["model"])
        assert after - before[paid["model"]] == pytest.approx(paid["cost_usd"])


@pytest.mark.parametrize("kind", ["good", "bad"])
@pytest.mark.parametrize("more", [{"logprobs": True}, {"logprobs": True, "top_logprobs": 2}], ids=["few", "many"])
def test_a_client_that_asked_for_log_probabilities_gets_them(house: House, kind: Any, more: dict[str, Any]) -> None:
    house.server("small").behaviour = Behaviour(answer=kind)
    body = house.chat(**more)

    answer = clean(house.post(body))

    served = "org/small" if kind == "good" else "large-70b"
    assert answer["model"] == served
    told = answer["choices"][0]["logprobs"]["content"]
    assert [len(token["top_logprobs"]) for token in told] == [more.get("top_logprobs", 0)] * len(told)
    assert "".join(token["token"] for token in told) == answer["choices"][0]["message"]["content"]
    assert house.asked["small"] == [body.replace(b'"auto"', b'"org/small"')]


@API
@pytest.mark.parametrize("kind", ["good", "refusal"])
def test_every_api(house: House, path: str, kind: Any) -> None:
    house.server("small").behaviour = Behaviour(answer=kind)
    body = json.dumps({"model": "auto", **PATHS[path]}).encode()

    reply = house.post(body, path=path)

    answer = clean(reply)
    assert answer["model"] == ("org/small" if kind == "good" else "large-70b")
    assert b'"logprob"' not in reply.body
    [small] = house.asked["small"]
    assert asks_for_logprobs(small) is (path != "/v1/messages")
    if kind == "refusal":
        assert house.asked["large"] == [body.replace(b'"auto"', b'"large-70b"')]
    record = house.cascade(reply.headers["x-request-id"])
    assert record["verdict"] == ("accepted" if kind == "good" else "escalated")
    assert [paid["counted"] for paid in record["attempts"]] == [True] * (1 if kind == "good" else 2)


def test_embeddings_are_not_judged(house: House) -> None:
    reply = house.post(b'{"model": "auto", "input": "once"}', path="/v1/embeddings")

    assert reply.status == 200
    assert house.access(reply.headers["x-request-id"])["route"] == "chain"


def test_where_no_log_probabilities_come_the_words_decide(house: House) -> None:
    house.server("small").play(Behaviour(without_logprobs=True), Behaviour(answer="refusal", without_logprobs=True))

    answers = [clean(house.post(house.chat())) for _ in range(2)]

    assert [answer["model"] for answer in answers] == ["org/small", "large-70b"]


def test_an_answer_too_long_to_be_held_flows_unjudged(house: House) -> None:
    house.server("small").behaviour = Behaviour(answer="bad", answer_tokens=40_000)

    for _ in range(3):
        reply = house.post(house.chat())

    assert (reply.status, reply.json()["model"], len(reply.body) > 1 << 20) == (200, "org/small", True)
    assert house.cascade(reply.headers["x-request-id"])["verdict"] == "unjudged"


def test_what_is_no_cascade_is_never_shown_to_the_verifier(house: House) -> None:
    streams = verifier_streams(house)
    for body in (house.chat(), house.chat(stream=True), house.chat(model="small-8b"), house.chat(model="large-70b")):
        assert house.post(body, [("x-want", "fallback")]).status == 200
    assert verifier_streams(house) == streams

    house.post(house.chat())
    assert verifier_streams(house) == streams + 1


def verifier_streams(house: House) -> int:
    """How many gRPC streams Envoy has opened to the verifier."""
    counters = house.envoy_counters("cluster.extproc_router_verifier.upstream_rq_total")
    return counters["cluster.extproc_router_verifier.upstream_rq_total"]
