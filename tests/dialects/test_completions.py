from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.dialects.completions import Completions
from extproc_router.errors import InvalidRequest
from extproc_router.types import Turn


def test_golden(golden: Any) -> None:
    assert golden.dialect.read(golden.body) == golden.request


@pytest.mark.parametrize("prompt", [b"7", b"true", b"{}", b'{"text":"x"}'])
def test_prompt_of_another_type_is_refused(prompt: bytes) -> None:
    with pytest.raises(InvalidRequest, match="'prompt' must be a string or an array") as caught:
        Completions().read(b'{"prompt":' + prompt + b"}")
    assert caught.value.param == "prompt"


@pytest.mark.parametrize("prompt", [b"", b'"prompt":null', b'"prompt":[]', b'"prompt":""', b'"prompt_embeds":"AAAA"'])
def test_nothing_to_read(prompt: bytes) -> None:
    assert Completions().read(b"{" + prompt + b"}").turns == ()


def test_text_among_token_ids_is_not_lost() -> None:
    assert Completions().read(b'{"prompt":[1,"text",[2,"deep"]]}').turns == (Turn("user", "text"),)


def test_error() -> None:
    reply = Completions().error(400, InvalidRequest("no"))
    assert json.loads(reply.body)["error"] == {
        "message": "no",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }
