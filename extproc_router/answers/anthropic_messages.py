"""Answers of Anthropic's messages, whole or streamed: https://docs.claude.com/en/api/messages-streaming.

There are no log-probabilities in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.answers.api import Api, Event
from extproc_router.answers.usage import told
from extproc_router.json_views import ABSENT, is_array, is_object, number, objects, string

if TYPE_CHECKING:
    from extproc_router.answers.gathered import Gathered

_FINISH: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}


class _Message(Struct, gc=False):
    content: Raw = ABSENT
    stop_reason: Raw = ABSENT
    usage: Raw = ABSENT
    error: Raw = ABSENT


class _Block(Struct, gc=False):
    type: Raw = ABSENT
    text: Raw = ABSENT
    name: Raw = ABSENT
    input: Raw = ABSENT


class _Event(Struct, gc=False):
    type: Raw = ABSENT
    index: Raw = ABSENT
    message: Raw = ABSENT
    content_block: Raw = ABSENT
    delta: Raw = ABSENT
    usage: Raw = ABSENT
    error: Raw = ABSENT


class _Delta(Struct, gc=False):
    text: Raw = ABSENT
    partial_json: Raw = ABSENT
    stop_reason: Raw = ABSENT


_MESSAGE = msgspec.json.Decoder(_Message)
_BLOCK = msgspec.json.Decoder(_Block)
_EVENT = msgspec.json.Decoder(_Event)
_DELTA = msgspec.json.Decoder(_Delta)


def _whole(document: bytes, gathered: Gathered) -> tuple[Raw, ...]:
    message = _MESSAGE.decode(document)
    for block in objects(message.content):
        _begin(block, None, gathered)
    _end(message.stop_reason, gathered)
    gathered.usage = told(message.usage)
    gathered.broken |= is_object(message.error) or not is_array(message.content)
    return ()


def _event(document: bytes, gathered: Gathered) -> Event:
    event = _EVENT.decode(document)
    kind = string(event.type)
    if kind == "message_start" and is_object(event.message):
        gathered.usage = told(_MESSAGE.decode(event.message).usage)
    elif kind == "content_block_start" and is_object(event.content_block):
        _begin(event.content_block, number(event.index), gathered)
    elif kind in {"content_block_delta", "message_delta"} and is_object(event.delta):
        delta = _DELTA.decode(event.delta)
        gathered.say(string(delta.text))
        gathered.argue(number(event.index), string(delta.partial_json))
        _end(delta.stop_reason, gathered)
    gathered.usage = told(event.usage, gathered.usage)
    failed = is_object(event.error)
    gathered.broken |= failed
    return Event(last=failed or kind == "message_stop")


ANTHROPIC_MESSAGES: Final = Api(_whole, _event, stripped=b"null")


def _begin(view: Raw, place: float | None, gathered: Gathered) -> None:
    """A content block, with all or nothing in it."""
    block = _BLOCK.decode(view)
    kind = string(block.type)
    if kind == "text":
        gathered.say(string(block.text))
    elif kind == "tool_use":
        gathered.call(place, string(block.name), otherwise=bytes(block.input).decode())


def _end(reason: Raw, gathered: Gathered) -> None:
    if said := string(reason):
        gathered.end(_FINISH.get(said, ""))
        if said == "refusal":
            gathered.refuse(said)
