"""Prompts and conversations as the bodies that clients would send, in whichever API a path speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router import dialects

if TYPE_CHECKING:
    from collections.abc import Sequence

CHAT = "/v1/chat/completions"

# APIs that take one text, and the member that they take it in.
_TEXT_MEMBERS = {"completions": "prompt", "embeddings": "input"}
_STREAMING = frozenset({"chat_completions", "completions", "responses", "anthropic_messages"})
# Anthropic's API requires a bound.
_MAX_TOKENS = 1024


def prompt_body(path: str, model: str, prompt: str, *, stream: bool = False) -> bytes:
    """Write the body that sends one prompt.

    Args:
        path: says which API; one that is not routed gets a chat completion.
        model: what the client asks for.
        prompt: any text; half a surrogate pair, which no client could send, becomes a question mark.
        stream: whether the answer shall be streamed, where the API can.
    """
    text = prompt.encode(errors="replace").decode()
    api = _api(path)
    if api in _TEXT_MEMBERS:
        return _body(api, model, {_TEXT_MEMBERS[api]: text}, stream=stream)
    return messages_body(path, model, [{"role": "user", "content": text}], stream=stream)


def messages_body(path: str, model: str, messages: Sequence[Any] | msgspec.Raw, *, stream: bool = False) -> bytes:
    """Write the body that sends a conversation; arguments as above.

    Raises:
        ValueError: this API takes no conversation.
    """
    api = _api(path)
    if api in _TEXT_MEMBERS:
        raise ValueError(f"{api} takes one text and no messages")
    return _body(api, model, {"input" if api == "responses" else "messages": messages}, stream=stream)


def _api(path: str) -> str:
    dialect = dialects.find(path.partition("?")[0])
    return dialect.name if dialect else "chat_completions"


def _body(api: str, model: str, content: dict[str, Any], *, stream: bool) -> bytes:
    bound = {"max_tokens": _MAX_TOKENS} if api == "anthropic_messages" else {}
    streamed = {"stream": True} if stream and api in _STREAMING else {}
    return msgspec.json.encode({"model": model, **bound, **content, **streamed})
