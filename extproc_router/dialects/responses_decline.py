"""A response that declines, as OpenAI's responses API would have it.

https://platform.openai.com/docs/api-reference/responses/object and /responses-streaming
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.dialects.replies import events_reply, json_reply
from extproc_router.json_views import ABSENT, is_object, string

if TYPE_CHECKING:
    from extproc_router.types import Reply, Request

_OK: Final = 200
_USAGE: Final = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


class _Asked(Struct, gc=False):
    text: Raw = ABSENT


class _Text(Struct, gc=False):
    format: Raw = ABSENT


class _Format(Struct, gc=False):
    type: Raw = ABSENT


_ASKED = msgspec.json.Decoder(_Asked)
_TEXT = msgspec.json.Decoder(_Text)
_FORMAT = msgspec.json.Decoder(_Format)


def decline_response(body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply:
    """Arguments as `Dialect.decline` has them; the message is a refusal where JSON of a schema was asked for."""
    whole, empty = _parts(message, refuses=_wants_schema(body))
    item = {"type": "message", "id": f"msg_{decision_id}", "role": "assistant"}
    done = {**item, "status": "completed", "content": [whole]}
    response = _response(request, decision_id, created)
    ended = {**response, "status": "completed", "completed_at": created, "output": [done], "usage": _USAGE}
    if not request.stream:
        return json_reply(_OK, ended)
    part = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    kind, name = ("refusal", "refusal") if "refusal" in whole else ("output_text", "text")
    logprobs: dict[str, Any] = {} if kind == "refusal" else {"logprobs": []}
    told: list[tuple[str, dict[str, Any]]] = [
        ("created", {"response": response}),
        ("in_progress", {"response": response}),
        ("output_item.added", {"output_index": 0, "item": {**item, "status": "in_progress", "content": []}}),
        ("content_part.added", {**part, "part": empty}),
        (f"{kind}.delta", {**part, "delta": message, **logprobs}),
        (f"{kind}.done", {**part, name: message, **logprobs}),
        ("content_part.done", {**part, "part": whole}),
        ("output_item.done", {"output_index": 0, "item": done}),
        ("completed", {"response": ended}),
    ]
    events = [
        {"type": f"response.{event}", "sequence_number": number, **data} for number, (event, data) in enumerate(told)
    ]
    return events_reply((event["type"], event) for event in events)


def _parts(message: str, *, refuses: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The content, and how it begins."""
    if refuses:
        return {"type": "refusal", "refusal": message}, {"type": "refusal", "refusal": ""}
    text = {"type": "output_text", "annotations": [], "logprobs": []}
    return {**text, "text": message}, {**text, "text": ""}


def _response(request: Request, decision_id: str, created: int) -> dict[str, Any]:
    return {
        "id": f"resp_{decision_id}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": request.model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }


def _wants_schema(body: bytes) -> bool:
    text = _ASKED.decode(body).text
    wanted = _TEXT.decode(text).format if is_object(text) else ABSENT
    return is_object(wanted) and string(_FORMAT.decode(wanted).type) == "json_schema"
