"""Log-probabilities of an answer's tokens, in the shapes that the APIs give them.

A list that has any other shape, or a number that no float holds, is read as none at all: half a list would shift the
statistics that the verifier judges by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from extproc_router.json_views import is_array, is_object

if TYPE_CHECKING:
    from msgspec import Raw


class _Token(Struct, gc=False):
    logprob: float | None = None


class _Choice(Struct, gc=False):
    content: list[_Token] | None = None
    token_logprobs: list[float | None] | None = None


_CHOICE = msgspec.json.Decoder(_Choice)
_TOKENS = msgspec.json.Decoder(list[_Token])


def of_choice(raw: Raw) -> list[float | None]:
    """Of a choice.

    `{"content": [{"logprob": -0.1}, ..]}` in chats; vLLM's have those of what a reasoning model thought among them.
    `{"token_logprobs": [null, -0.1, ..]}` in completions.
    """
    if not is_object(raw):
        return []
    try:
        choice = _CHOICE.decode(raw)
    except msgspec.ValidationError:
        return []
    return [token.logprob for token in choice.content or ()] or choice.token_logprobs or []


def of_response(raw: Raw) -> list[float | None]:
    """Of responses, a part or a delta: `[{"logprob": -0.1}, ..]`."""
    if not is_array(raw):
        return []
    try:
        return [token.logprob for token in _TOKENS.decode(raw)]
    except msgspec.ValidationError:
        return []
