"""Anthropic's extended thinking: when it may be asked for, and how its budget and the completion's bound go together.

https://docs.claude.com/en/docs/build-with-claude/extended-thinking
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.dialects.changes import cap
from extproc_router.dialects.thinking import Thinking
from extproc_router.json_views import ABSENT, is_object, is_present, items, number, string, whole

if TYPE_CHECKING:
    from extproc_router.candidates import Change, Reasoning
    from extproc_router.dialects.editor import Editor

MIN_BUDGET: Final = 1024
"""Anthropic's."""

_MIN_TOP_P = 0.95
_FORCED = frozenset({"any", "tool"})
_THINKING_BLOCKS = frozenset({"thinking", "redacted_thinking"})


class Members(Thinking, kw_only=True, gc=False):
    """What decides whether a request may think."""

    max_tokens: Raw = ABSENT
    messages: Raw = ABSENT
    system: Raw = ABSENT
    temperature: Raw = ABSENT
    tool_choice: Raw = ABSENT
    top_k: Raw = ABSENT
    top_p: Raw = ABSENT


class _Config(Struct, gc=False):
    type: Raw = ABSENT
    budget_tokens: Raw = ABSENT


class _Message(Struct, gc=False):
    role: Raw = ABSENT
    content: Raw = ABSENT


class _Block(Struct, gc=False):
    type: Raw = ABSENT


_CONFIG = msgspec.json.Decoder(_Config)
_MESSAGE = msgspec.json.Decoder(_Message)
_BLOCK = msgspec.json.Decoder(_Block)
_NOTHING = Raw(b"null")


def tell_budget(editor: Editor, members: Members, change: Change, reasoning: Reasoning) -> bool:
    """Write `thinking`: with a budget of at most half of the completion's bound, so that an answer fits too.

    Thinking is left off where the API would refuse it, and where less than the least budget is left.
    """
    given = members.thinking
    if is_present(given) and not is_object(given):
        return False
    kind = string(_CONFIG.decode(given).type) if is_object(given) else ""
    if not change.think:
        return kind != "disabled" and editor.put(None, "thinking", given, {"type": "disabled"})
    bounds = [bound for bound in (whole(members.max_tokens), change.max_tokens) if bound]
    budget = min(reasoning.budget_tokens, min(bounds, default=0) // 2)
    if kind in {"enabled", "adaptive"} or budget < MIN_BUDGET or not _may_think(members):
        return False
    return editor.put(None, "thinking", given, {"type": "enabled", "budget_tokens": budget})


def cap_with_budget(editor: Editor, members: Members, limit: int) -> None:
    """Bound the completion, and the thinking within it that the client asked for.

    The bound counts thinking too and is the operator's, so the client's budget gives way: one that would not be below
    the bound becomes half of it. But the request stays valid: the bound is not put where the least budget does not fit.
    """
    config = _CONFIG.decode(members.thinking) if is_object(members.thinking) else _Config()
    budget = number(config.budget_tokens)
    if string(config.type) != "enabled" or budget is None:
        cap(editor, limit, "max_tokens", members.max_tokens)
        return
    limit = max(limit, MIN_BUDGET + 1)
    if cap(editor, limit, "max_tokens", members.max_tokens) and budget >= limit:
        lower = max(MIN_BUDGET, limit // 2)
        editor.replace(config.budget_tokens, lower)
        editor.changes.append(f"budget_tokens<={lower}")


def _may_think(members: Members) -> bool:
    temperature, top_p = number(members.temperature), number(members.top_p)
    choice = members.tool_choice
    return (
        (temperature == 1 or not is_present(members.temperature))
        and (not is_present(members.top_p) or (top_p is not None and _MIN_TOP_P <= top_p <= 1))
        and not is_present(members.top_k)
        and not (is_object(choice) and string(_BLOCK.decode(choice).type) in _FORCED)
        and _turns_allow(members.messages)
    )


def _turns_allow(messages: Raw) -> bool:
    """Whether the conversation may go on with thinking.

    The answer must not be begun already. While tools are being called, the model's turn goes on through their
    results, and a turn that thinks has begun with a thinking block.
    """
    begins: Raw = ABSENT
    for position, view in enumerate(reversed(items(messages))):
        message = _MESSAGE.decode(view)
        if string(message.role) == "assistant":
            if position == 0:
                return False
            begins = message.content
        elif not any(_kind(block).endswith("tool_result") for block in items(message.content)):
            break
        elif position == 0:
            begins = _NOTHING
    return len(begins) == 0 or _kind(next(iter(items(begins)), ABSENT)) in _THINKING_BLOCKS


def _kind(block: Raw) -> str:
    return string(_BLOCK.decode(block).type) if is_object(block) else ""
