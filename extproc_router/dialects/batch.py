"""Prompts sent many at a time, as completions and embeddings take them.

They share one body and so one decision: all texts are one user turn. Token ids are no text and are never decoded,
which keeps a million of them as cheap as scanning for a quotation mark.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from extproc_router.json_views import is_array, is_object, is_string, items, string

if TYPE_CHECKING:
    from msgspec import Raw

    from extproc_router.dialects.content import Content

ROLE: Final = "user"
IDS: Final = "token ids"

_DIGIT: Final = re.compile(rb"[0-9]")


def add_batch(content: Content, prompts: Raw) -> None:
    """Add a string, a list of strings, token ids, lists of token ids, or objects with content of their own.

    Raises:
        InvalidRequest: as `Content.add` does.
    """
    if is_string(prompts):
        content.say(string(prompts))
    elif is_object(prompts):
        content.add_raw(prompts)
    elif is_array(prompts) and b'"' in bytes(prompts):
        parts = items(prompts)
        content.add(parts)
        if not all(is_string(part) or is_object(part) for part in parts):
            content.unread = IDS
    elif is_array(prompts) and _DIGIT.search(bytes(prompts)):
        content.unread = IDS
