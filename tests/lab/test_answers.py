from __future__ import annotations

import json

import pytest

from extproc_router.lab.answers import answer

PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/messages"]
BODY = b'{"model": "small-8b", "messages": [], "stream": false}'


@pytest.mark.parametrize("path", PATHS)
def test_every_api_names_the_model_that_was_asked_for(path: str) -> None:
    reply = answer("small", "POST", path + "?beta=true", BODY)

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(b"".join(reply.chunks))["model"] == "small-8b"


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/v1/embeddings"])
def test_streams_say_in_pieces_what_the_whole_answer_says(path: str) -> None:
    whole = answer("small", "POST", path, BODY)
    stream = answer("small", "POST", path, BODY.replace(b"false", b"true"))

    assert not whole.is_stream
    assert stream.is_stream
    assert len(stream.chunks) > 5
    assert all(chunk.endswith(b"\n\n") for chunk in stream.chunks)
    assert b"small-8b on small says hello." in whole.chunks[0]
    assert [b"hello." in chunk for chunk in stream.chunks].count(True) >= 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_what_a_model_server_cannot_read_is_400(path: str, body: bytes) -> None:
    reply = answer("small", "POST", path, body)

    assert reply.status == 400
    assert "small cannot read this" in json.loads(reply.chunks[0])["error"]["message"]


def test_unknown_paths_are_described() -> None:
    assert json.loads(answer("small", "PUT", "/v1/files/7?x=1", b"abc").chunks[0]) == {
        "cluster": "small",
        "method": "PUT",
        "path": "/v1/files/7",
        "bytes": 3,
    }


def test_health_is_empty_and_well() -> None:
    assert answer("small", "GET", "/health", b"").status == 200
