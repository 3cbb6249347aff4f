"""Anthropic's messages: `POST /v1/messages`.

https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from extproc_router.candidates import ReasoningStyle
from extproc_router.dialects import anthropic_thinking
from extproc_router.dialects.anthropic_decline import decline_message
from extproc_router.dialects.base import Body, request
from extproc_router.dialects.changes import cap, prefix
from extproc_router.dialects.complaints import complaining
from extproc_router.dialects.content import MAX_PIECES, MAX_ROLE, Content
from extproc_router.dialects.json_document import read_object
from extproc_router.dialects.replies import anthropic_error
from extproc_router.dialects.thinking import think
from extproc_router.json_views import ABSENT, is_object, items, string, whole

if TYPE_CHECKING:
    from extproc_router.candidates import Change
    from extproc_router.dialects.editor import Editor
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply, Request

SYSTEM_ROLE: Final = "system"
TOOL_ROLE: Final = "tool"
"""Anthropic puts tool results into user messages. Nobody typed them, so their turn has the role that OpenAI's API gives
them; else the last user turn of every agent would be a tool's output."""


class _Message(Struct, kw_only=True, gc=False):
    role: Annotated[str, Meta(max_length=MAX_ROLE)]
    content: str | list[Raw] | None = None


class _Messages(Body, kw_only=True, gc=False):
    messages: Annotated[list[_Message], Meta(max_length=MAX_PIECES)]
    system: str | list[Raw] | None = None
    mcp_servers: Raw = ABSENT
    output_config: Raw = ABSENT
    output_format: Raw = ABSENT
    max_tokens: Raw = ABSENT


class _Block(Struct, gc=False):
    type: Raw = ABSENT


_MESSAGES = msgspec.json.Decoder(_Messages)
_BLOCK = msgspec.json.Decoder(_Block)
_EDITED = msgspec.json.Decoder(anthropic_thinking.Members)

_WAYS: Final = {ReasoningStyle.ANTHROPIC: anthropic_thinking.tell_budget}


class AnthropicMessages:
    """The dialect of Claude's clients, which vLLM and others serve too."""

    name: Final = "anthropic_messages"
    paths: Final = ("/v1/messages",)

    def read(self, body: bytes) -> Request:
        """Read a request body; a turn for the system prompt, then one for each message.

        Tool results within a message are a turn of their own, with role `tool`.

        Raises:
            InvalidRequest: it is not what the path promises.
        """
        with complaining(body):
            messages = read_object(body, _MESSAGES)
            content = Content()
            content.declare(messages.output_config, messages.output_format)
            content.add(messages.system)
            content.end_turn(SYSTEM_ROLE, even_if_silent=False)
            content.count(len(messages.messages))
            for message in messages.messages:
                _add_message(content, message)
            tools, bound = bool(items(messages.mcp_servers)), whole(messages.max_tokens)
            return request(self.name, body, messages, content, tools=tools, max_tokens=bound)

    def error(self, status: int, error: ClientError) -> Reply:
        """Anthropic's error shape."""
        return anthropic_error(status, error)

    def edit(self, editor: Editor, request: Request, change: Change) -> None:
        """Edit `system`, `thinking` or the template, and `max_tokens`; usage is always told."""
        members = _EDITED.decode(editor.body)
        rewritten = think(editor, members, request, change, _WAYS)
        if change.max_tokens and rewritten:
            cap(editor, change.max_tokens, "max_tokens", members.max_tokens)
        elif change.max_tokens:
            anthropic_thinking.cap_with_budget(editor, members, change.max_tokens)
        if change.system_prefix:
            prefix(editor, change.system_prefix, None, "system", members.system)

    def decline(self, body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply:  # noqa: ARG002
        """One text."""
        return decline_message(request, message, decision_id)


def _add_message(content: Content, message: _Message) -> None:
    if not message.content or isinstance(message.content, str):
        content.add(message.content)
        content.end_turn(message.role)
        return
    for is_result, blocks in groupby(message.content, _is_tool_result):
        content.add(list(blocks))
        content.end_turn(TOOL_ROLE if is_result else message.role)


def _is_tool_result(block: Raw) -> bool:
    return is_object(block) and string(_BLOCK.decode(block).type).endswith("tool_result")
