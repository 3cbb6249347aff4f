"""Responses, as OpenAI's API and vLLM shape them: https://platform.openai.com/docs/api-reference/responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.simulation import token_logprobs
from extproc_router.lab.simulation.answer import CREATED, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.simulation.answer import Event, Json
    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.saying import Said

ITEM_ID = "msg-lab"
CALL_ID = "call-lab"
_KIND = {"text": "output_text", "refusal": "refusal"}


def response(asked: Asked, said: Said) -> Json:
    """A whole response."""
    return _response(asked, said, _status(said), [_item(asked, said, _status(said))])


def response_events(asked: Asked, said: Said) -> Iterator[Event]:
    """The same in a stream."""
    begun = _response(asked, said, "in_progress", [])
    told: list[tuple[Json, int]] = [({"type": f"response.{name}", "response": begun}, 0) for name in _BEGUN]
    told += [({"type": "response.output_item.added", "output_index": 0, "item": _item(asked, None, "in_progress")}, 0)]
    if said.tool:
        told[-1][0]["item"] = {**_call(said, "in_progress"), "arguments": ""}
        told += _call_events(said)
    else:
        told += _text_events(asked, said)
    done = {"type": "response.output_item.done", "output_index": 0, "item": _item(asked, said, _status(said))}
    told += [(done, 0), ({"type": f"response.{_status(said)}", "response": response(asked, said)}, 0)]
    for number, (each, tokens) in enumerate(told):
        yield event({**each, "sequence_number": number}, each["type"], tokens=tokens)


_BEGUN = ("created", "in_progress")


def _text_events(asked: Asked, said: Said) -> Iterator[tuple[Json, int]]:
    place = {"item_id": ITEM_ID, "output_index": 0, "content_index": 0}
    part = _part(asked, said)
    member = "refusal" if said.finish == "refusal" else "text"
    kind = _KIND[member]
    empty: Json = {**part, member: ""}
    if member == "text":
        empty["logprobs"] = []
    yield {"type": "response.content_part.added", **place, "part": empty}, 0
    for index, token in enumerate(said.tokens):
        extra: Json = {"logprobs": token_logprobs.tokens(said, asked, index, index + 1)} if member == "text" else {}
        yield {"type": f"response.{kind}.delta", **place, "delta": token, **extra}, 1
    extra = {"logprobs": token_logprobs.tokens(said, asked)} if member == "text" else {}
    yield {"type": f"response.{kind}.done", **place, member: said.text, **extra}, 0
    yield {"type": "response.content_part.done", **place, "part": part}, 0


def _call_events(said: Said) -> Iterator[tuple[Json, int]]:
    place = {"item_id": ITEM_ID, "output_index": 0}
    for token in said.tokens:
        yield {"type": "response.function_call_arguments.delta", **place, "delta": token}, 1
    done = {"type": "response.function_call_arguments.done", **place, "name": said.tool, "arguments": said.text}
    yield done, 0


def _status(said: Said) -> str:
    return "incomplete" if said.finish == "length" else "completed"


def _part(asked: Asked, said: Said) -> Json:
    if said.finish == "refusal":
        return {"type": "refusal", "refusal": said.text}
    logprobs = token_logprobs.tokens(said, asked)
    return {"type": "output_text", "text": said.text, "annotations": [], "logprobs": logprobs}


def _call(said: Said, status: str) -> Json:
    call = {"id": ITEM_ID, "type": "function_call", "call_id": CALL_ID, "status": status}
    return {**call, "name": said.tool, "arguments": said.text}


def _item(asked: Asked, said: Said | None, status: str) -> Json:
    if said and said.tool:
        return _call(said, status)
    content = [_part(asked, said)] if said else []
    return {"id": ITEM_ID, "type": "message", "role": "assistant", "status": status, "content": content}


def _response(asked: Asked, said: Said, status: str, output: list[Json]) -> Json:
    answered = len(said.tokens)
    usage = {
        "input_tokens": asked.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": asked.prompt_tokens + answered,
    }
    return {
        "id": "resp-lab",
        "object": "response",
        "created_at": CREATED,
        "model": asked.model,
        "status": status,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None if status == "in_progress" else usage,
    }
