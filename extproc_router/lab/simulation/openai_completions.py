"""Chat and legacy completions, as OpenAI's API and vLLM shape them.

https://platform.openai.com/docs/api-reference/chat/object and its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.simulation import token_logprobs
from extproc_router.lab.simulation.answer import CREATED, DONE, event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.simulation.answer import Event, Json
    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.saying import Said

CALL_ID = "call-lab"


def chat(asked: Asked, said: Said) -> Json:
    """A whole chat completion."""
    message: Json = {"role": "assistant", "content": said.text}
    if said.tool:
        call = {"name": said.tool, "arguments": said.text}
        message |= {"content": None, "tool_calls": [{"id": CALL_ID, "type": "function", "function": call}]}
    elif said.finish == "refusal":
        message |= {"content": None, "refusal": said.text}
    choice = {"index": 0, "message": message, "logprobs": token_logprobs.chat(said, asked)}
    return {
        "id": "chatcmpl-lab",
        "object": "chat.completion",
        "created": CREATED,
        "model": asked.model,
        "choices": [{**choice, "finish_reason": _finish(said)}],
        "usage": _usage(asked, said),
    }


def chat_events(asked: Asked, said: Said) -> Iterator[Event]:
    """The same in a stream."""
    base = {"id": "chatcmpl-lab", "object": "chat.completion.chunk", "created": CREATED, "model": asked.model}

    def chunk(delta: Json, logprobs: Json | None = None, finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return event({**base, "choices": [choice]}, tokens=1 if finish is None and "role" not in delta else 0)

    yield chunk({"role": "assistant", "content": ""})
    for index, token in enumerate(said.tokens):
        delta: Json = {"refusal" if said.finish == "refusal" else "content": token}
        if said.tool:
            named = {"id": CALL_ID, "type": "function"} if index == 0 else {}
            call = {"name": said.tool, "arguments": token} if index == 0 else {"arguments": token}
            delta = {"tool_calls": [{"index": 0, **named, "function": call}]}
        yield chunk(delta, token_logprobs.chat(said, asked, index, index + 1))
    yield chunk({}, finish=_finish(said))
    if asked.stream_usage:
        yield event({**base, "choices": [], "usage": _usage(asked, said)})
    yield DONE


def completion(asked: Asked, said: Said) -> Json:
    """A whole legacy completion."""
    choice = {"index": 0, "text": said.text, "logprobs": token_logprobs.completion(said, asked)}
    return {**_head(asked), "choices": [{**choice, "finish_reason": _finish(said)}], "usage": _usage(asked, said)}


def completion_events(asked: Asked, said: Said) -> Iterator[Event]:
    """The same in a stream."""
    for index, token in enumerate(said.tokens):
        logprobs = token_logprobs.completion(said, asked, index, index + 1)
        choice = {"index": 0, "text": token, "logprobs": logprobs, "finish_reason": None}
        yield event({**_head(asked), "choices": [choice]}, tokens=1)
    last = {"index": 0, "text": "", "logprobs": None, "finish_reason": _finish(said)}
    yield event({**_head(asked), "choices": [last]})
    if asked.stream_usage:
        yield event({**_head(asked), "choices": [], "usage": _usage(asked, said)})
    yield DONE


def _head(asked: Asked) -> Json:
    return {"id": "cmpl-lab", "object": "text_completion", "created": CREATED, "model": asked.model}


def _finish(said: Said) -> str:
    """OpenAI has no reason for a refusal: the message says that it is one."""
    return "stop" if said.finish == "refusal" else said.finish


def _usage(asked: Asked, said: Said) -> Json:
    answered = len(said.tokens)
    return {
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": answered,
        "total_tokens": asked.prompt_tokens + answered,
    }
