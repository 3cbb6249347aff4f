"""Each attempt's body is its model's own: the bytes that it would get as the first choice."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

MAX_BYTES = 2 * 1024 * 1024
EDITS = "reasoning: on, max_tokens: 64, system_prefix: Be kind., include_usage: true"
CONFIG = f"""
models:
  - name: base-8b
    cluster: small
    served_name: org/base-8b-instruct-fp8
    adapters: [{{name: sql-lora, served_name: sql-lora-v3}}]
  - {{name: qwen-8b, cluster: qwen, reasoning: enable_thinking}}
  - {{name: gpt-120b, cluster: gpt, served_name: gpt, reasoning: {{style: reasoning_effort, effort_on: high}}}}
signals:
  - {{kind: header, name: want, header: x-want}}
rules:
  - {{name: plain, when: {{want: plain}}, use: [base-8b, gpt-120b]}}
  - {{name: plain-second, when: {{want: plain-second}}, use: [gpt-120b]}}
  - {{name: edits, when: {{want: edits}}, use: [qwen-8b, gpt-120b], {EDITS}}}
  - {{name: edits-second, when: {{want: edits-second}}, use: [gpt-120b], {EDITS}}}
  - {{name: lora, when: {{want: lora}}, use: [sql-lora, base-8b]}}
fallback: {{attempts: 2}}
limits: {{max_body_bytes: {MAX_BYTES}}}
routing: {{default: base-8b}}
"""
CHAT = "/v1/chat/completions"
ASK = '"messages": [{"role": "user", "content": "hi"}]'
BODIES = {
    "last": f'{{ {ASK} ,\n"model"\t: "auto" }}\n',
    "absent": f"{{{ASK}}}",
    "null": f'{{"model": null, {ASK}}}',
    "twice": f'{{"model": "auto", {ASK}, "model" : "auto"}}',
    "escaped": f'{{"\\u006dodel": "auto", {ASK}}}',
    "in an object before it": f'{{"metadata": {{"model": "m"}}, {ASK}, "model": "auto"}}',
    "in an array before it": f'{{"x": [[{{"model": "m"}}], "model"], {ASK}, "model": "auto"}}',
    "as text": '{"messages": [{"role": "user", "content": "say \\"model\\": \\"auto\\""}], "model": "auto"}',
    "as text, escaped twice": '{"messages": [{"role": "user", "content": "\\\\\\"model\\": \\"m"}], "model": "auto"}',
    "as a name": f'{{"user": "model", "model": "auto", {ASK}}}',
    "beside other letters": '{"messages":[{"role":"user","content":"\u00e9\\ud83d\\ude00\u2028 n"}],"model":"auto"}',
    "with numbers of its own": f'{{"n": 1.0e0, "seed": 12345678901234567890123, "model": "auto", {ASK}}}',
    "with a system prompt": '{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]}',
    "with its own bounds": f'{{"max_tokens": 9, "stream": true, {ASK}, "stream_options": {{}}, "model": "auto"}}',
}
PATHS = {
    CHAT: ASK,
    "/v1/completions": '"prompt": "once"',
    "/v1/responses": '"input": "once"',
    "/v1/embeddings": '"input": ["a", "b"]',
    "/v1/messages": f'"max_tokens": 5, {ASK}',
}


@pytest.fixture(scope="module")
def chained(open_house: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    with open_house(CONFIG) as house:
        yield house


@pytest.fixture
def house(chained: House) -> House:
    chained.clear()
    return chained


def asked(house: House, want: str, body: bytes, path: str = CHAT, **more: Any) -> dict[str, list[bytes]]:
    """What each cluster gets of a request where all but the last model are full."""
    house.clear()
    failing = ("small", "qwen") if not want.endswith("-second") else ()
    for cluster in failing:
        house.server(cluster).behaviour = Behaviour(status=429)
    headers = [("x-want", want), *more.pop("headers", ())]
    assert house.post(body, headers, path=path, **more).status == 200
    return house.asked


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("want", ["plain", "edits"])
def test_the_second_gets_what_it_would_get_as_the_first(house: House, want: str, body: str) -> None:
    [first_choice] = asked(house, f"{want}-second", body.encode())["gpt"]
    bodies = asked(house, want, body.encode())

    first = "small" if want == "plain" else "qwen"
    assert set(bodies) == {first, "gpt"}
    assert bodies["gpt"] == [first_choice]
    served = [json.loads(bodies[name][0]) for name in (first, "gpt")]
    assert [body["model"] for body in served] == ["org/base-8b-instruct-fp8" if want == "plain" else "qwen-8b", "gpt"]
    assert [body["messages"][-1] for body in served] == [json.loads(body)["messages"][-1]] * 2


def test_models_are_told_to_think_each_in_its_way(house: House) -> None:
    bodies = {name: json.loads(body) for name, [body] in asked(house, "edits", house.chat(stream=True)).items()}

    first, second = bodies["qwen"], bodies["gpt"]
    assert first.pop("chat_template_kwargs") == {"enable_thinking": True}
    assert second.pop("reasoning_effort") == "high"
    assert (first.pop("model"), second.pop("model")) == ("qwen-8b", "gpt")
    assert first == second
    assert (first["max_completion_tokens"], first["stream_options"]) == (64, {"include_usage": True})


@pytest.mark.parametrize("path", PATHS)
def test_every_api(house: House, path: str) -> None:
    body = f'{{ {PATHS[path]}, "model" : "auto", "big": 1234567890123456789012 }}'

    assert asked(house, "plain", body.encode(), path) == {
        "small": [body.replace("auto", "org/base-8b-instruct-fp8").encode()],
        "gpt": [body.replace("auto", "gpt").encode()],
    }


def test_an_adapter_falls_back_to_its_base_on_the_same_cluster(house: House) -> None:
    house.server("small").play(Behaviour(status=503), Behaviour())
    body = house.chat()

    reply = house.post(body, [("x-want", "lora")])

    assert (reply.status, reply.json()["model"]) == (200, "org/base-8b-instruct-fp8")
    names = (b"sql-lora-v3", b"org/base-8b-instruct-fp8")
    assert house.asked == {"small": [body.replace(b'"auto"', b'"%b"' % name) for name in names]}


@pytest.mark.parametrize("want", ["plain", "edits"])
def test_a_body_that_comes_compressed(house: House, want: str) -> None:
    body = house.chat("\u00e9" * 5000)
    packed = gzip.compress(body)

    bodies = asked(house, want, packed, headers=[("content-encoding", "gzip")])

    assert bodies == asked(house, want, body)
    assert [request.header("content-encoding") for request in house.received] == [None, None]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("want", ["plain", "edits"])
def test_a_body_as_long_as_it_may_be(house: House, want: str, chunked: bool) -> None:
    body = house.chat("x" * (MAX_BYTES - len(house.chat(""))))
    assert len(body) == MAX_BYTES

    bodies = asked(house, want, body, chunked=chunked)

    assert bodies["gpt"] == asked(house, f"{want}-second", body)["gpt"]
    if want == "plain":
        assert bodies["gpt"] == [body.replace(b'"auto"', b'"gpt"')]


def test_a_longer_body_is_refused_before_anybody_is_asked(house: House) -> None:
    body = house.chat("x" * (MAX_BYTES - len(house.chat("")) + 1))

    reply = house.post(body, [("x-want", "plain")])

    assert (reply.status, reply.json()["error"]["code"]) == (413, "request_too_large")
    assert house.asked == {}
