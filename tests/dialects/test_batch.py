from __future__ import annotations

import pytest
from msgspec import Raw

from extproc_router.dialects.batch import add_batch
from extproc_router.dialects.completions import Completions
from extproc_router.dialects.content import Content
from extproc_router.errors import InvalidRequest


def text(prompts: bytes) -> str:
    content = Content()
    add_batch(content, Raw(prompts))
    content.end_turn("user")
    return content.turns[0].text


@pytest.mark.parametrize(
    ("prompts", "read"),
    [
        (b"", ""),
        (b"null", ""),
        (b'"one"', "one"),
        (b'["one", "two"]', "one\ntwo"),
        (b"[1, 2, 3]", ""),
        (b"[[1, 2], [3]]", ""),
        (b'[1, "two", [3]]', "two"),
        (b'[{"text": "one"}, "two"]', "one\ntwo"),
        (b'{"text": "one"}', "one"),
        (b"[]", ""),
        (b"7", ""),
    ],
)
def test_forms(prompts: bytes, read: str) -> None:
    assert text(prompts) == read


def test_a_million_token_ids_are_no_pieces() -> None:
    assert text(b"[" + b"1," * 1_000_000 + b"1]") == ""


def test_too_many_prompts() -> None:
    with pytest.raises(InvalidRequest, match="more than 10000"):
        text(b"[" + b'"",' * 10_000 + b'""]')


@pytest.mark.parametrize(
    ("prompt", "unread"),
    [
        ('"text"', ""),
        ('["a", "b"]', ""),
        ("[]", ""),
        ("[[]]", ""),
        ("[1, 2]", "token ids"),
        ("[[1], [2]]", "token ids"),
        ('["a", [1, 2]]', "token ids"),
        ('["a", 7]', "token ids"),
        ('{"content": [{"type": "text", "text": "a 1"}]}', ""),
    ],
)
def test_what_stands_for_text_and_is_none_is_said(prompt: str, unread: str) -> None:
    content = Content()
    add_batch(content, Raw(prompt.encode()))
    assert content.unread == unread


def test_a_prompt_of_vectors_is_no_text_either() -> None:
    assert Completions().read(b'{"prompt_embeds": "AAAA"}').unread == "embeddings"
    assert Completions().read(b'{"prompt": "x", "prompt_embeds": null}').unread == ""
