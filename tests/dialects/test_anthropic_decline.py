from __future__ import annotations

import json
from typing import TYPE_CHECKING

from extproc_router.dialects import find

if TYPE_CHECKING:
    from extproc_router.types import Reply

SORRY = "I can't help with that."
HEAD = {"id": "msg_d-1", "type": "message", "role": "assistant", "model": "auto"}


def decline(body: bytes) -> Reply:
    dialect = find("/v1/messages")
    assert dialect is not None
    reply = dialect.decline(body, dialect.read(body), SORRY, "d-1", 1_700_000_000)
    assert reply is not None
    assert reply.status == 200
    return reply


def test_a_message() -> None:
    reply = decline(b'{"model":"auto","messages":[]}')
    assert dict(reply.headers)["content-type"] == "application/json"
    assert json.loads(reply.body) == {
        **HEAD,
        "content": [{"type": "text", "text": SORRY}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def test_a_streamed_message() -> None:
    reply = decline(b'{"model":"auto","stream":true,"messages":[]}')
    assert dict(reply.headers)["content-type"].startswith("text/event-stream")
    *events, rest = reply.body.split(b"\n\n")
    assert rest == b""
    documents = [json.loads(event.split(b"\n")[1].removeprefix(b"data: ")) for event in events]
    assert [event.split(b"\n")[0].decode() for event in events] == [f"event: {each['type']}" for each in documents]
    assert documents == [
        {
            "type": "message_start",
            "message": {
                **HEAD,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 0, "output_tokens": 0},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SORRY}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 0},
        },
        {"type": "message_stop"},
    ]
