from __future__ import annotations

import pytest

from extproc_router.dialects import find


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/chat/completions", "chat_completions"),
        ("/v1/completions", "completions"),
        ("/v1/responses", "responses"),
        ("/v1/embeddings", "embeddings"),
        ("/v1/messages", "anthropic_messages"),
    ],
)
def test_found_with_and_without_a_trailing_slash(path: str, name: str) -> None:
    for spelled in (path, path + "/"):
        dialect = find(spelled)
        assert dialect is not None
        assert dialect.name == name


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/v1", "/v1/models", "/v1/chat/completions//", "/v1/chat", "v1/completions", "/V1/completions"),
        *("/v1/messages/count_tokens", "/v1/completions?x=1", "/prefix/v1/completions"),
    ],
)
def test_other_paths_are_nobodys(path: str) -> None:
    assert find(path) is None
