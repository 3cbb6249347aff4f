"""Anthropic's messages: `POST /v1/messages`.

https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from extproc_router.dialects.base import Body, request
from extproc_router.dialects.complaints import complaining
from extproc_router.dialects.content import MAX_PIECES, Content
from extproc_router.dialects.json_document import read_object
from extproc_router.dialects.raw import ABSENT, is_object, items, string
from extproc_router.dialects.replies import anthropic_error

if TYPE_CHECKING:
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply, Request

SYSTEM_ROLE: Final = "system"
TOOL_ROLE: Final = "tool"
"""Anthropic puts tool results into user messages. Nobody typed them, so their turn has the role that OpenAI's API gives
them; else the last user turn of every agent would be a tool's output."""


class _Message(Struct, kw_only=True, gc=False):
    role: str
    content: str | list[Raw] | None = None


class _Messages(Body, kw_only=True, gc=False):
    messages: Annotated[list[_Message], Meta(max_length=MAX_PIECES)]
    system: str | list[Raw] | None = None
    mcp_servers: Raw = ABSENT


class _Block(Struct, gc=False):
    type: Raw = ABSENT


_MESSAGES = msgspec.json.Decoder(_Messages)
_BLOCK = msgspec.json.Decoder(_Block)


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
            content.add(messages.system)
            content.end_turn(SYSTEM_ROLE, even_if_silent=False)
            content.count(len(messages.messages))
            for message in messages.messages:
                _add_message(content, message)
            return request(self.name, body, messages, content, tools=bool(items(messages.mcp_servers)))

    def error(self, status: int, error: ClientError) -> Reply:
        """Anthropic's error shape."""
        return anthropic_error(status, error)


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
