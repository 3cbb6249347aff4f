from __future__ import annotations

import json
from typing import Any

import pytest

from extproc_router.dialects.embeddings import Embeddings
from extproc_router.errors import InvalidRequest
from extproc_router.types import Turn


def test_golden(golden: Any) -> None:
    assert golden.dialect.read(golden.body) == golden.request


@pytest.mark.parametrize("body", [b"{}", b'{"input":null}', b'{"messages":null}'])
def test_input_is_required(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="Missing required parameter") as caught:
        Embeddings().read(body)
    assert caught.value.param == "input"


@pytest.mark.parametrize("value", [b"7", b"true"])
def test_input_of_another_type_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidRequest, match="'input' must be a string or an array") as caught:
        Embeddings().read(b'{"input":' + value + b"}")
    assert caught.value.param == "input"


def test_messages_are_checked_as_in_chat() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Embeddings().read(b'{"messages":[{"content":"x"}]}')
    assert caught.value.param == "messages[0].role"


def test_both_messages_and_input_are_read() -> None:
    body = b'{"input":"b","messages":[{"role":"user","content":"a"}]}'
    assert Embeddings().read(body).turns == (Turn("user", "a"), Turn("user", "b"))


def test_error() -> None:
    assert json.loads(Embeddings().error(400, InvalidRequest("no", param="input")).body)["error"]["param"] == "input"
