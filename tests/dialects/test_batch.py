from __future__ import annotations

import pytest
from msgspec import Raw

from extproc_router.dialects.batch import add_batch
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
