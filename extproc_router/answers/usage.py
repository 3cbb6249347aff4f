"""Tokens that a server says an answer took, under the names of all APIs."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.attempts import Usage
from extproc_router.json_views import ABSENT, is_object, number

_MOST: Final = 2**53


class _Usage(Struct, gc=False):
    prompt_tokens: Raw = ABSENT
    completion_tokens: Raw = ABSENT
    input_tokens: Raw = ABSENT
    output_tokens: Raw = ABSENT
    cache_creation_input_tokens: Raw = ABSENT
    cache_read_input_tokens: Raw = ABSENT


_USAGE = msgspec.json.Decoder(_Usage)


def told(raw: Raw, before: Usage | None = None) -> Usage | None:
    """What `usage` says.

    Args:
        raw: the member; Anthropic does not count cached tokens among its `input_tokens`, so they are added.
        before: what was told earlier in a stream; it holds for what is not told anew.
    """
    if not is_object(raw):
        return before
    usage = _USAGE.decode(raw)
    prompt = _count(usage.prompt_tokens)
    if prompt is None:
        parts = (usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens)
        counts = [count for count in map(_count, parts) if count is not None]
        prompt = sum(counts) if counts else None
    completion = _count(usage.completion_tokens)
    completion = _count(usage.output_tokens) if completion is None else completion
    if prompt is None and completion is None:
        return before
    before = before or Usage(0, 0)
    # Anthropic's last event repeats no prompt, vLLM's says that it was empty.
    return Usage(prompt or before.prompt, before.completion if completion is None else completion)


def _count(raw: Raw) -> int | None:
    value = number(raw)
    return int(value) if value is not None and 0 <= value <= _MOST else None
