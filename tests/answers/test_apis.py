from __future__ import annotations

import json

import pytest

from extproc_router.answers import Stream, read
from extproc_router.answers.apis import APIS
from extproc_router.dialects import DIALECTS, Dialect

BODIES: dict[str, dict[str, object]] = {
    "chat_completions": {"messages": [{"role": "user", "content": "Hello"}]},
    "completions": {"prompt": "Hello"},
    "responses": {"input": "Hello"},
    "embeddings": {"input": "Hello"},
    "anthropic_messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]},
}


def test_every_dialect_has_its_reader() -> None:
    assert set(APIS) == {dialect.name for dialect in DIALECTS}


@pytest.mark.parametrize("dialect", DIALECTS, ids=[dialect.name for dialect in DIALECTS])
def test_answers_that_the_router_gives_itself_are_read(dialect: Dialect) -> None:
    """Two rooms that know nothing of each other agree on what an answer looks like."""
    for stream in (False, True):
        body = json.dumps({"model": "m", "stream": stream, **BODIES[dialect.name]}).encode()
        reply = dialect.decline(body, dialect.read(body), "I would rather not.", "d1", 1)
        if reply is None:
            assert dialect.name == "embeddings"
            continue
        if stream:
            reader = Stream(dialect.name, strips_logprobs=True, strips_usage=True)
            assert reader.feed(reply.body, end=True) == reply.body
            heard = reader.heard
        else:
            heard = read(dialect.name, reply.body)
        assert (heard.text, heard.finish, heard.broken, heard.complete) == ("I would rather not.", "stop", False, True)
