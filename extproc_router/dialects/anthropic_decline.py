"""A message that declines, as Anthropic's API would have it: https://docs.claude.com/en/api/messages-streaming.

It ends as any other (`end_turn`): `refusal` would tell clients to drop the conversation so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from extproc_router.dialects.replies import events_reply, json_reply

if TYPE_CHECKING:
    from extproc_router.types import Reply, Request

_OK: Final = 200
_ENDED: Final = {"stop_reason": "end_turn", "stop_sequence": None}
_NOT_ENDED: Final = {"stop_reason": None, "stop_sequence": None}


def decline_message(request: Request, message: str, decision_id: str) -> Reply:
    """Arguments as `Dialect.decline` has them."""
    head: dict[str, Any] = {
        "id": f"msg_{decision_id}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    if not request.stream:
        return json_reply(_OK, {**head, "content": [{"type": "text", "text": message}], **_ENDED})
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**head, **_NOT_ENDED}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": message}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": _ENDED, "usage": {"output_tokens": 0}},
        {"type": "message_stop"},
    ]
    return events_reply((event["type"], event) for event in events)
