from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.explaining import prompts


def body(line: bytes) -> object:
    return json.loads(prompts.request(prompts.read(line), "auto").body or b"")


def test_a_text_is_one_user_message() -> None:
    assert body(b'{"id": 1, "text": "hi"}') == {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}


def test_messages_are_kept() -> None:
    assert body(b'{"messages": [{"role": "user", "content": "hi"}]}') == body(b'{"text": "hi"}')


def test_a_body_is_sent_as_it_is_with_its_headers_and_path() -> None:
    line = b'{"body": {"model":  "m", "input": 1.50}, "headers": {"X-Plan": "gold"}, "path": "/v1/embeddings"}'
    http = prompts.request(prompts.read(line), "auto")
    assert http.body == b'{"model":  "m", "input": 1.50}'
    assert (http.headers, http.path, http.method) == ({"x-plan": "gold"}, "/v1/embeddings", "POST")


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"nope",
        b"[]",
        b'{"text": 1}',
        b'{"text": "a", "messages": []}',
        b'{"headers": {"a": 1}}',
        b"\xff",
        b"[" * 99_999,
    ],
)
def test_what_cannot_be_sent_is_a_value_error(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        prompts.read(line)


def test_an_api_of_one_text_takes_no_messages() -> None:
    line = prompts.read(b'{"messages": [], "path": "/v1/embeddings"}')
    with pytest.raises(ValueError, match="takes one text"):
        prompts.request(line, "auto")


@given(st.binary())
def test_any_line_is_read_or_a_value_error(line: bytes) -> None:
    with suppress(ValueError):
        prompts.request(prompts.read(line), "auto")
