from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.cases.schema import Case
from extproc_router.cases.sending import earlier_of, http_of


def case(**members: Any) -> Case:
    return Case.model_validate({"name": "a", "expect": {"action": "route"}, **members})


def body(**members: Any) -> Any:
    return json.loads(http_of(case(**members)).body or b"")


def test_a_prompt_a_conversation_or_a_whole_body_is_sent() -> None:
    turns = [{"role": "user", "content": "hi"}]
    assert body(prompt="hi") == body(messages=turns) == body(body={"model": "auto", "messages": turns})
    assert http_of(case(body="not json")).body == b"not json"


def test_model_stream_path_and_headers_go_with_it() -> None:
    http = http_of(case(prompt="hi", model="m", stream=True, path="/v1/messages", headers={"X-Tenant": "acme"}))
    assert (http.method, http.path, http.headers) == ("POST", "/v1/messages", {"x-tenant": "acme"})
    sent = json.loads(http.body or b"")
    assert (sent["model"], sent["stream"]) == ("m", True)


def test_what_came_before_is_a_growing_conversation() -> None:
    told = case(prompt="c", after=["a", {"prompt": "b"}])
    said = [
        [turn["content"] for turn in json.loads(http.body or b"")["messages"] if turn["role"] == "user"]
        for http in (*earlier_of(told), http_of(told))
    ]
    assert said == [["a"], ["a", "b"], ["a", "b", "c"]]


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
def test_other_apis_take_conversations_too(path: str) -> None:
    assert http_of(case(prompt="b", after=["a"], path=path)).body
