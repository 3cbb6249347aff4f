"""OpenAI's chat completions: `POST /v1/chat/completions`.

https://platform.openai.com/docs/api-reference/chat/create, and vLLM's additions to it (`reasoning`, part types).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from extproc_router.candidates import ReasoningStyle
from extproc_router.dialects.base import Body, request
from extproc_router.dialects.changes import cap, include_usage, logprobs, prefix
from extproc_router.dialects.complaints import complaining
from extproc_router.dialects.content import MAX_PIECES, MAX_ROLE, Content
from extproc_router.dialects.json_document import read_object
from extproc_router.dialects.openai_decline import decline_chat
from extproc_router.dialects.replies import openai_error
from extproc_router.dialects.thinking import Thinking, tell_effort, think
from extproc_router.json_views import ABSENT, is_object, is_present, items, string, whole
from extproc_router.types import Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Change
    from extproc_router.dialects.editor import Editor
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply, Request


class Message(Struct, kw_only=True, gc=False):
    """One message; what is typed here is refused when it is of another type, views are read as far as they go."""

    role: Annotated[str, Meta(max_length=MAX_ROLE)]
    content: str | list[Raw] | None = None
    name: Raw = ABSENT
    refusal: Raw = ABSENT
    reasoning: Raw = ABSENT
    reasoning_content: Raw = ABSENT
    tool_calls: Raw = ABSENT
    function_call: Raw = ABSENT
    audio: Raw = ABSENT


Messages = Annotated[list[Message], Meta(max_length=MAX_PIECES)]


class _Chat(Body, kw_only=True, gc=False):
    messages: Messages
    functions: Raw = ABSENT
    prediction: Raw = ABSENT
    response_format: Raw = ABSENT
    max_completion_tokens: Raw = ABSENT
    max_tokens: Raw = ABSENT


class _Edited(Thinking, kw_only=True, gc=False):
    messages: Raw = ABSENT
    max_completion_tokens: Raw = ABSENT
    max_tokens: Raw = ABSENT
    logprobs: Raw = ABSENT
    stream_options: Raw = ABSENT


class _First(Struct, gc=False):
    role: Raw = ABSENT
    content: Raw = ABSENT


class _Call(Struct, gc=False):
    function: Raw = ABSENT
    custom: Raw = ABSENT


class _Function(Struct, gc=False):
    name: Raw = ABSENT
    arguments: Raw = ABSENT
    input: Raw = ABSENT


_CHAT = msgspec.json.Decoder(_Chat)
_CALL = msgspec.json.Decoder(_Call)
_FUNCTION = msgspec.json.Decoder(_Function)
_EDITED = msgspec.json.Decoder(_Edited)
_FIRST = msgspec.json.Decoder(_First)

_INSTRUCTING = frozenset({"system", "developer"})
_WAYS: Final = {ReasoningStyle.REASONING_EFFORT: tell_effort}


class ChatCompletions:
    """The dialect most clients speak."""

    name: Final = "chat_completions"
    paths: Final = ("/v1/chat/completions",)

    def read(self, body: bytes) -> Request:
        """Read a request body; one turn for each message.

        Raises:
            InvalidRequest: it is not what the path promises.
        """
        with complaining(body):
            chat = read_object(body, _CHAT)
            content = Content()
            content.declare(chat.functions, chat.prediction, chat.response_format)
            add_messages(content, chat.messages)
            bound = whole(chat.max_completion_tokens) or whole(chat.max_tokens)
            return request(self.name, body, chat, content, tools=bool(items(chat.functions)), max_tokens=bound)

    def error(self, status: int, error: ClientError) -> Reply:
        """OpenAI's error shape."""
        return openai_error(status, error)

    def edit(self, editor: Editor, request: Request, change: Change) -> None:
        """Edit the system message, effort or template, bounds under both names, `logprobs` and `stream_options`."""
        chat = _EDITED.decode(editor.body)
        think(editor, chat, request, change, _WAYS)
        if change.max_tokens:
            cap(editor, change.max_tokens, "max_completion_tokens", chat.max_completion_tokens, chat.max_tokens)
        if change.system_prefix:
            _prefix(editor, change.system_prefix, chat.messages)
        if change.logprobs:
            logprobs(editor, chat.logprobs, True)
        if change.include_usage:
            include_usage(editor, request, chat.stream_options)

    def decline(self, body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply:
        """As many choices as were asked for; refusals where JSON of a schema was asked for."""
        return decline_chat(body, request, message, decision_id, created)


def add_messages(content: Content, messages: Sequence[Message]) -> None:
    """Add chat messages to `content`, one turn each: reasoning, text, refusal, then tool calls.

    Raises:
        InvalidRequest: as `Content.add` does.
    """
    content.count(len(messages))
    for message in messages:
        if len(message.name):
            content.declare(message.name)
        content.say(string(message.reasoning))
        if message.reasoning_content != message.reasoning:  # servers are moving from one name to the other
            content.say(string(message.reasoning_content))
        content.add(message.content)
        content.say(string(message.refusal))
        if is_present(message.audio):
            content.modalities.add(Modality.AUDIO)
        calls = items(message.tool_calls)
        content.count(len(calls))
        for call in filter(is_object, calls):
            content.called = True
            tool = _CALL.decode(call)
            _add_function(content, tool.function)
            _add_function(content, tool.custom)
        content.called = content.called or is_object(message.function_call)
        _add_function(content, message.function_call)
        content.end_turn(message.role)


def _add_function(content: Content, raw: Raw) -> None:
    if is_object(raw):
        function = _FUNCTION.decode(raw)
        content.call(function.name, function.arguments, function.input)


def _prefix(editor: Editor, text: str, messages: Raw) -> None:
    conversation = items(messages)
    if not conversation:
        return  # there is nothing to instruct, and no list without messages is valid
    first = _FIRST.decode(conversation[0])
    if string(first.role) in _INSTRUCTING:
        prefix(editor, text, conversation[0], "content", first.content)
    else:
        editor.prepend_element(messages, {"role": "system", "content": text})
        editor.changes.append("system_prefix")
