from __future__ import annotations

import json

import pytest

from extproc_router import dialects
from extproc_router.explaining.requests import CHAT, messages_body, prompt_body

PATHS = (CHAT, "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/messages")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_is_what_each_api_reads(path: str, stream: bool) -> None:
    dialect = dialects.find(path)
    assert dialect
    request = dialect.read(prompt_body(path, "auto", "Hi \ud800 there", stream=stream))
    assert (request.model, request.turns[-1].text) == ("auto", "Hi ? there")
    assert request.stream is (stream and path != "/v1/embeddings")


@pytest.mark.parametrize("path", [CHAT, "/v1/responses?x=1", "/v1/messages"])
def test_a_conversation_is_what_each_api_reads(path: str) -> None:
    dialect = dialects.find(path.partition("?")[0])
    assert dialect
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    assert [turn.text for turn in dialect.read(messages_body(path, "auto", messages)).turns] == ["a", "b", "c"]


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings"])
def test_an_api_of_one_text_takes_no_conversation(path: str) -> None:
    with pytest.raises(ValueError, match="takes one text"):
        messages_body(path, "auto", [])


def test_a_path_that_is_not_routed_gets_a_chat_completion() -> None:
    assert json.loads(prompt_body("/elsewhere", "m", "x")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
    }
