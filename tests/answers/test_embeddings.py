from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.answers import read, strip
from extproc_router.attempts import Heard, Usage

if TYPE_CHECKING:
    from collections.abc import Callable


def test_only_the_usage_is_heard() -> None:
    body = b'{"object": "list", "data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}'
    assert read("embeddings", body) == Heard(usage=Usage(3, 0))
    assert strip("embeddings", body, logprobs=True) is body


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"error": {"message": "no"}}'])
def test_no_answer(body: bytes) -> None:
    assert read("embeddings", body).broken


def test_a_stream_is_no_answer(streamed: Callable[..., Heard]) -> None:
    assert streamed("embeddings", {"data": []}).broken
