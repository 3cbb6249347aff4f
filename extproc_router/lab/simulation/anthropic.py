"""Anthropic's messages: https://docs.claude.com/en/api/messages and .../build-with-claude/streaming."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from extproc_router.lab.simulation.answer import event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.simulation.answer import Event, Json
    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.saying import Said

CALL_ID = "toolu-lab"
_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "refusal": "refusal"}


def message(asked: Asked, said: Said) -> Json:
    """A whole message."""
    block: Json = {"type": "text", "text": said.text}
    if said.tool:
        block = {"type": "tool_use", "id": CALL_ID, "name": said.tool, "input": _input(said.text)}
    return {
        **_head(asked),
        "content": [block],
        "stop_reason": _REASONS[said.finish],
        "usage": {"input_tokens": asked.prompt_tokens, "output_tokens": len(said.tokens)},
    }


def message_events(asked: Asked, said: Said) -> Iterator[Event]:
    """The same in a stream."""
    usage = {"input_tokens": asked.prompt_tokens, "output_tokens": 1}
    start = {**_head(asked), "content": [], "stop_reason": None, "usage": usage}
    yield event({"type": "message_start", "message": start}, "message_start")
    block: Json = {"type": "text", "text": ""}
    if said.tool:
        block = {"type": "tool_use", "id": CALL_ID, "name": said.tool, "input": {}}
    yield event({"type": "content_block_start", "index": 0, "content_block": block}, "content_block_start")
    for token in said.tokens:
        delta = {"type": "text_delta", "text": token}
        if said.tool:
            delta = {"type": "input_json_delta", "partial_json": token}
        yield event({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta", tokens=1)
    yield event({"type": "content_block_stop", "index": 0}, "content_block_stop")
    end = {"stop_reason": _REASONS[said.finish], "stop_sequence": None}
    answered = {"output_tokens": len(said.tokens)}
    yield event({"type": "message_delta", "delta": end, "usage": answered}, "message_delta")
    yield event({"type": "message_stop"}, "message_stop")


def _head(asked: Asked) -> Json:
    return {"id": "msg-lab", "type": "message", "role": "assistant", "model": asked.model, "stop_sequence": None}


def _input(arguments: str) -> Json:
    try:
        parsed = json.loads(arguments)
    except ValueError:
        # What their documentation of fine-grained tool streaming wraps unparseable arguments in.
        return {"INVALID_JSON": arguments}
    return parsed if isinstance(parsed, dict) else {"INVALID_JSON": arguments}
