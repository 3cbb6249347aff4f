from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.dialects.anthropic_messages import AnthropicMessages
from extproc_router.errors import BodyTooLarge, ClientError, InvalidRequest, ModelNotAllowed, ModelNotFound
from extproc_router.types import Turn


def turns(*messages: Any, **members: Any) -> tuple[Turn, ...]:
    return AnthropicMessages().read(json.dumps({"messages": messages, **members}).encode()).turns


def test_golden(golden: Any) -> None:
    assert golden.dialect.read(golden.body) == golden.request


def test_tool_results_are_not_the_users_words() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "from a file"}
    said = {"type": "text", "text": "from a person"}
    assert turns({"role": "user", "content": [result, result, said, result]}) == (
        Turn("tool", "from a file\nfrom a file"),
        Turn("user", "from a person"),
        Turn("tool", "from a file"),
    )


@pytest.mark.parametrize("content", [None, "", [], [None, 7, {}, {"type": "text"}, {"type": 7, "text": 7}]])
def test_a_message_without_text_is_a_turn(content: Any) -> None:
    assert turns({"role": "user", "content": content}) == (Turn("user", ""),)


@pytest.mark.parametrize("system", [None, "", [], [{"type": "text", "text": ""}]])
def test_an_empty_system_prompt_is_no_turn(system: Any) -> None:
    assert turns(system=system) == ()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{}", "messages"),
        (b'{"messages":{}}', "messages"),
        (b'{"messages":[{"content":"x"}]}', "messages[0].role"),
        (b'{"messages":[{"role":"user","content":7}]}', "messages[0].content"),
        (b'{"messages":[],"system":7}', "system"),
    ],
)
def test_of_the_wrong_shape(body: bytes, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        AnthropicMessages().read(body)
    assert caught.value.param == param


def test_base64_is_not_text() -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert turns({"role": "user", "content": [{"type": "document", "source": source}]}) == (Turn("user", ""),)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("no"), "invalid_request_error"),
        (ModelNotFound("no"), "not_found_error"),
        (BodyTooLarge("no"), "request_too_large"),
        (ModelNotAllowed("no"), "permission_error"),
    ],
)
def test_error(error: ClientError, kind: str) -> None:
    reply = AnthropicMessages().error(error.status, error)
    assert (reply.status, reply.headers) == (error.status, (("content-type", "application/json"),))
    assert json.loads(reply.body) == {"type": "error", "error": {"type": kind, "message": error.message}}
