"""Whether the model shall think, said in the way that its server reads; never against what the client said.

vLLM's chat templates: https://docs.vllm.ai/en/stable/features/reasoning_outputs/; the members at the top level are
OpenAI's, Anthropic's (`anthropic_thinking`), DeepSeek's and Alibaba's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct

from extproc_router.candidates import ReasoningStyle
from extproc_router.json_views import ABSENT, is_object, is_present

if TYPE_CHECKING:
    from extproc_router.candidates import Change, Reasoning
    from extproc_router.dialects.editor import Editor, Value
    from extproc_router.types import Request

# Qwen's and GLM's switches within a prompt, and no paths that look like them.
_SOFT_SWITCH = re.compile(r"(?<![\w/.])/(?:no_?)?think(?![\w/])")

_TEMPLATE: Final = {
    ReasoningStyle.ENABLE_THINKING: "enable_thinking",
    ReasoningStyle.THINKING: "thinking",
    ReasoningStyle.TEMPLATE_EFFORT: "reasoning_effort",
}


class Thinking(Struct, kw_only=True, gc=False):
    """The members in which some API or server reads whether to think; each dialect adds what else it edits."""

    chat_template_kwargs: Raw = ABSENT
    enable_thinking: Raw = ABSENT
    output_config: Raw = ABSENT
    reasoning: Raw = ABSENT
    reasoning_effort: Raw = ABSENT
    thinking: Raw = ABSENT


class _Inner(Struct, gc=False):
    """The members that the objects above may have."""

    effort: Raw = ABSENT
    enable_thinking: Raw = ABSENT
    reasoning_effort: Raw = ABSENT
    thinking: Raw = ABSENT


_INNER = msgspec.json.Decoder(_Inner)

T = TypeVar("T", bound=Thinking)
Way: TypeAlias = Callable[["Editor", T, "Change", "Reasoning"], bool]
"""Writes what is wanted, and returns whether that changes anything."""


def think(editor: Editor, members: T, request: Request, change: Change, ways: Mapping[ReasoningStyle, Way[T]]) -> bool:
    """Tell the model whether to think.

    Args:
        editor: gathers the edits.
        members: of the body.
        request: its last user turn may hold a switch.
        change: what is wanted, and of which kind of model; nothing happens where it does not say both.
        ways: how this API does what is not said to a chat template; a style in neither cannot be spoken here.

    Returns:
        Whether that changes anything.
    """
    reasoning = change.reasoning
    if change.think is None or reasoning is None or not (change.override or not _said(members, request)):
        return False
    name, way = _TEMPLATE.get(reasoning.style), ways.get(reasoning.style)
    if name:
        changed = _tell_template(editor, members.chat_template_kwargs, name, change, reasoning)
    else:
        changed = way is not None and way(editor, members, change, reasoning)
    if changed:
        editor.changes.append(f"reasoning={'on' if change.think else 'off'}")
    return changed


def tell_effort(editor: Editor, members: Thinking, change: Change, reasoning: Reasoning) -> bool:
    """`reasoning_effort`, as chat completions have it."""
    return editor.put(None, "reasoning_effort", members.reasoning_effort, _effort(change, reasoning))


def tell_nested_effort(editor: Editor, members: Thinking, change: Change, reasoning: Reasoning) -> bool:
    """`reasoning.effort`, as responses have it."""
    return _put_inside(editor, "reasoning", members.reasoning, "effort", _effort(change, reasoning))


def _tell_template(editor: Editor, kwargs: Raw, name: str, change: Change, reasoning: Reasoning) -> bool:
    is_effort = reasoning.style is ReasoningStyle.TEMPLATE_EFFORT
    wish = _effort(change, reasoning) if is_effort else bool(change.think)
    return _put_inside(editor, "chat_template_kwargs", kwargs, name, wish)


def _effort(change: Change, reasoning: Reasoning) -> str:
    return reasoning.on if change.think else reasoning.off


def _put_inside(editor: Editor, name: str, container: Raw, member: str, value: Value) -> bool:
    if not is_present(container):
        return editor.put(None, name, container, {member: value})
    if not is_object(container):
        return False
    return editor.put(container, member, getattr(_INNER.decode(container), member), value)


def _said(members: Thinking, request: Request) -> bool:
    """Whether the client itself said something of thinking, or of its effort."""
    views = [members.enable_thinking, members.reasoning_effort, members.thinking]
    for container in filter(is_object, (members.chat_template_kwargs, members.output_config, members.reasoning)):
        inner = _INNER.decode(container)
        views += [inner.effort, inner.enable_thinking, inner.reasoning_effort, inner.thinking]
    if any(map(is_present, views)):
        return True
    last = next((turn.text for turn in reversed(request.turns) if turn.role == "user"), "")
    # Most prompts do not have the word, which is found a hundred times faster than that there is no switch.
    return "think" in last and _SOFT_SWITCH.search(last) is not None
