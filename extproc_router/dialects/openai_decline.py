"""Completions that decline, as OpenAI's chat and legacy completions would have them.

https://platform.openai.com/docs/api-reference/chat/object and its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.dialects.replies import events_reply, json_reply
from extproc_router.json_views import ABSENT, is_array, is_object, is_string, is_true, items, string, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.types import Reply, Request

MAX_CHOICES: Final = 128
"""OpenAI's bound on `n`."""

_OK: Final = 200
_DONE: Final = b"data: [DONE]\n\n"
_USAGE: Final = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class _Asked(Struct, gc=False):
    n: Raw = ABSENT
    prompt: Raw = ABSENT
    response_format: Raw = ABSENT
    stream_options: Raw = ABSENT


class _Inner(Struct, gc=False):
    include_usage: Raw = ABSENT
    type: Raw = ABSENT


_ASKED = msgspec.json.Decoder(_Asked)
_INNER = msgspec.json.Decoder(_Inner)


def decline_chat(body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply:
    """Arguments as `Dialect.decline` has them; `refusal` holds the message where JSON of a schema was asked for."""
    asked = _ASKED.decode(body)
    refuses = _type(asked.response_format) == "json_schema"
    head = {"id": f"chatcmpl-{decision_id}", "created": created, "model": request.model}
    said = {"content": None, "refusal": message} if refuses else {"content": message, "refusal": None}
    indices = range(_choices(asked))
    if not request.stream:
        choices = [_choice(index, "stop", message={"role": "assistant", **said}) for index in indices]
        return json_reply(_OK, {**head, "object": "chat.completion", "choices": choices, "usage": _USAGE})
    deltas = [{"role": "assistant", "content": None if refuses else "", "refusal": None}]
    deltas += [{"refusal": message} if refuses else {"content": message}]
    choices = [_choice(index, None, delta=delta) for delta in deltas for index in indices]
    choices += [_choice(index, "stop", delta={}) for index in indices]
    return _stream({**head, "object": "chat.completion.chunk"}, choices, asked)


def decline_completion(body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply:
    """Arguments as `Dialect.decline` has them."""
    asked = _ASKED.decode(body)
    head = {"id": f"cmpl-{decision_id}", "object": "text_completion", "created": created, "model": request.model}
    choices = [_choice(index, "stop", text=message) for index in range(_choices(asked, _prompts(asked.prompt)))]
    if not request.stream:
        return json_reply(_OK, {**head, "choices": choices, "usage": _USAGE})
    return _stream(head, choices, asked)


def _choices(asked: _Asked, prompts: int = 1) -> int:
    return min((whole(asked.n) or 1) * prompts, MAX_CHOICES)


def _prompts(prompt: Raw) -> int:
    """How many prompts there are: strings and lists of token ids count, token ids alone are one prompt."""
    prompts = items(prompt)
    return len(prompts) if prompts and (is_string(prompts[0]) or is_array(prompts[0])) else 1


def _choice(index: int, finish_reason: str | None, **said: object) -> dict[str, Any]:
    return {"index": index, **said, "logprobs": None, "finish_reason": finish_reason}


def _stream(head: dict[str, Any], choices: Iterable[dict[str, Any]], asked: _Asked) -> Reply:
    """A chunk for each choice that is told; the usage, where it was asked for, is a last one without choices."""
    chunks = [{**head, "choices": [choice]} for choice in choices]
    options = asked.stream_options
    if is_object(options) and is_true(_INNER.decode(options).include_usage):
        chunks = [{**chunk, "usage": None} for chunk in chunks]
        chunks.append({**head, "choices": [], "usage": _USAGE})
    return events_reply((("", chunk) for chunk in chunks), end=_DONE)


def _type(raw: Raw) -> str:
    return string(_INNER.decode(raw).type) if is_object(raw) else ""
