"""What a simulated model server answers: the five client APIs, whole or as server-sent events.

Each answer names the cluster and the model that the server was asked for, so that a reader sees where a request went.
Shapes follow the public API references of OpenAI and Anthropic, as far as their own clients read them.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Json: TypeAlias = dict[str, Any]

CREATED = 1_767_225_600  # a fixed time: the same request gets the same answer
EMBEDDING = (0.5, -0.25, 0.125, 0.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `chunks` is its body, one piece for each write."""

    status: int
    content_type: str
    chunks: tuple[bytes, ...]

    @property
    def is_stream(self) -> bool:
        """Whether it is server-sent events."""
        return self.content_type == "text/event-stream"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of the simulated model."""

    cluster: str
    model: str
    body: Json

    @property
    def words(self) -> list[str]:
        """The text that the model answers with, split for streaming."""
        return [f"{self.model} ", "on ", f"{self.cluster} ", "says ", "hello."]

    @property
    def text(self) -> str:
        """The same in one piece."""
        return "".join(self.words)

    @property
    def prompt_tokens(self) -> int:
        """A stand-in for a tokenizer: a token for every four bytes of request."""
        return max(1, len(json.dumps(self.body)) // 4)


def answer(cluster: str, method: str, path: str, body: bytes) -> Answer:
    """Answer one request as a model server behind `cluster` would.

    Args:
        cluster: name that the answer carries.
        method: upper case.
        path: with query.
        body: as received.
    """
    path = path.partition("?")[0]
    if path == "/health":
        return Answer(200, "text/plain", (b"",))
    if path == "/v1/models" and method == "GET":
        return _json({"object": "list", "data": [{"id": cluster, "object": "model", "created": CREATED}]})
    api = _APIS.get(path)
    if api is None or method != "POST":
        return _json({"cluster": cluster, "method": method, "path": path, "bytes": len(body)})
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return _json({"error": {"message": f"{cluster} cannot read this", "type": "invalid_request_error"}}, status=400)
    asked = Asked(cluster, str(parsed.get("model", "")), parsed)
    if parsed.get("stream") is True and api.events is not None:
        return Answer(200, "text/event-stream", tuple(api.events(asked)))
    return _json(api.whole(asked))


def _json(value: Json, status: int = 200) -> Answer:
    return Answer(status, "application/json", (json.dumps(value).encode(),))


def _data(value: Json, event: str = "") -> bytes:
    prefix = f"event: {event}\n" if event else ""
    return f"{prefix}data: {json.dumps(value)}\n\n".encode()


def _usage(asked: Asked) -> Json:
    answered = len(asked.words)
    return {
        "prompt_tokens": asked.prompt_tokens,
        "completion_tokens": answered,
        "total_tokens": asked.prompt_tokens + answered,
    }


def _chat(asked: Asked) -> Json:
    message = {"role": "assistant", "content": asked.text}
    return {
        "id": "chatcmpl-lab",
        "object": "chat.completion",
        "created": CREATED,
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(asked),
    }


def _chat_events(asked: Asked) -> Iterator[bytes]:
    base = {"id": "chatcmpl-lab", "object": "chat.completion.chunk", "created": CREATED, "model": asked.model}

    def choice(delta: Json, finish: str | None = None) -> bytes:
        return _data({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield choice({"role": "assistant", "content": ""})
    for word in asked.words:
        yield choice({"content": word})
    yield choice({}, "stop")
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        yield _data({**base, "choices": [], "usage": _usage(asked)})
    yield b"data: [DONE]\n\n"


def _completion(asked: Asked) -> Json:
    return {
        "id": "cmpl-lab",
        "object": "text_completion",
        "created": CREATED,
        "model": asked.model,
        "choices": [{"index": 0, "text": asked.text, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(asked),
    }


def _completion_events(asked: Asked) -> Iterator[bytes]:
    for word in asked.words:
        whole = _completion(asked)
        del whole["usage"]
        whole["choices"][0].update(text=word, finish_reason=None)
        yield _data(whole)
    yield b"data: [DONE]\n\n"


def _response(asked: Asked, status: str = "completed") -> Json:
    content = [{"type": "output_text", "text": asked.text, "annotations": []}]
    message = {"id": "msg-lab", "type": "message", "role": "assistant", "status": status, "content": content}
    answered = len(asked.words)
    return {
        "id": "resp-lab",
        "object": "response",
        "created_at": CREATED,
        "model": asked.model,
        "status": status,
        "output": [message] if status == "completed" else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": asked.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": answered,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked.prompt_tokens + answered,
        },
    }


def _response_events(asked: Asked) -> Iterator[bytes]:
    place = {"item_id": "msg-lab", "output_index": 0, "content_index": 0}
    events: list[Json] = [{"type": "response.created", "response": _response(asked, "in_progress")}]
    events += [{"type": "response.output_text.delta", "delta": word, "logprobs": [], **place} for word in asked.words]
    events.append({"type": "response.output_text.done", "text": asked.text, "logprobs": [], **place})
    events.append({"type": "response.completed", "response": _response(asked)})
    for number, event in enumerate(events):
        yield _data({**event, "sequence_number": number}, event["type"])


def _embeddings(asked: Asked) -> Json:
    # The openai client asks for base64 unless told otherwise.
    packed = base64.b64encode(struct.pack(f"<{len(EMBEDDING)}f", *EMBEDDING)).decode()
    vector = packed if asked.body.get("encoding_format") == "base64" else list(EMBEDDING)
    inputs = asked.body.get("input")
    count = len(inputs) if isinstance(inputs, list) else 1
    return {
        "object": "list",
        "model": asked.model,
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)],
        "usage": {"prompt_tokens": asked.prompt_tokens, "total_tokens": asked.prompt_tokens},
    }


def _message(asked: Asked) -> Json:
    return {
        "id": "msg-lab",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [{"type": "text", "text": asked.text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": asked.prompt_tokens, "output_tokens": len(asked.words)},
    }


def _message_events(asked: Asked) -> Iterator[bytes]:
    start = {**_message(asked), "content": [], "stop_reason": None}
    yield _data({"type": "message_start", "message": start}, "message_start")
    block = {"type": "text", "text": ""}
    yield _data({"type": "content_block_start", "index": 0, "content_block": block}, "content_block_start")
    for word in asked.words:
        delta = {"type": "text_delta", "text": word}
        yield _data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
    yield _data({"type": "content_block_stop", "index": 0}, "content_block_stop")
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    usage = {"output_tokens": len(asked.words)}
    yield _data({"type": "message_delta", "delta": end, "usage": usage}, "message_delta")
    yield _data({"type": "message_stop"}, "message_stop")


@dataclass(frozen=True, slots=True)
class _Api:
    whole: Callable[[Asked], Json]
    events: Callable[[Asked], Iterator[bytes]] | None


_APIS: Mapping[str, _Api] = {
    "/v1/chat/completions": _Api(_chat, _chat_events),
    "/v1/completions": _Api(_completion, _completion_events),
    "/v1/responses": _Api(_response, _response_events),
    "/v1/embeddings": _Api(_embeddings, None),
    "/v1/messages": _Api(_message, _message_events),
}
