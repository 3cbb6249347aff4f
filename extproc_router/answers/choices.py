"""Answers that are choices: chat completions and legacy completions, whole, or an event of a stream.

https://platform.openai.com/docs/api-reference/chat/object and .../completions/object. Only the first choice (index 0)
is heard. What a model thought (`reasoning_content`) is not its answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.answers.api import Api, Event
from extproc_router.answers.logprobs import of_choice
from extproc_router.answers.usage import told
from extproc_router.json_views import ABSENT, is_array, is_object, is_present, number, objects, string

if TYPE_CHECKING:
    from extproc_router.answers.gathered import Gathered

_FINISH: Final = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class _Document(Struct, gc=False):
    choices: Raw = ABSENT
    usage: Raw = ABSENT
    error: Raw = ABSENT


class _Choice(Struct, gc=False):
    index: Raw = ABSENT
    message: Raw = ABSENT
    delta: Raw = ABSENT
    text: Raw = ABSENT
    finish_reason: Raw = ABSENT
    logprobs: Raw = ABSENT


class _Message(Struct, gc=False):
    """A message, or what a delta adds to one."""

    content: Raw = ABSENT
    refusal: Raw = ABSENT
    tool_calls: Raw = ABSENT
    function_call: Raw = ABSENT


class _Call(Struct, gc=False):
    index: Raw = ABSENT
    function: Raw = ABSENT


class _Function(Struct, gc=False):
    name: Raw = ABSENT
    arguments: Raw = ABSENT


_DOCUMENT = msgspec.json.Decoder(_Document)
_CHOICE = msgspec.json.Decoder(_Choice)
_MESSAGE = msgspec.json.Decoder(_Message)
_CALL = msgspec.json.Decoder(_Call)
_FUNCTION = msgspec.json.Decoder(_Function)


def _whole(document: bytes, gathered: Gathered) -> list[Raw]:
    choices = _hear(_DOCUMENT.decode(document), gathered)
    gathered.broken |= not choices
    return _weighed(choices)


def _event(document: bytes, gathered: Gathered) -> Event:
    read = _DOCUMENT.decode(document)
    choices = _hear(read, gathered)
    usage = is_array(read.choices) and not choices and is_object(read.usage)
    return Event(_weighed(choices), usage=usage, last=is_object(read.error))


CHOICES: Final = Api(_whole, _event, stripped=b"null")
"""Both APIs: their members have different names, so no answer means another thing in the other."""


def _hear(document: _Document, gathered: Gathered) -> list[_Choice]:
    """Hear the first choice; all of them are returned."""
    choices = [_CHOICE.decode(choice) for choice in objects(document.choices)]
    first = next((choice for choice in choices if not number(choice.index)), None)
    if first is not None:
        if is_object(message := first.message if is_present(first.message) else first.delta):
            _add(_MESSAGE.decode(message), gathered)
        gathered.say(string(first.text))
        gathered.weigh(of_choice(first.logprobs))
        if finish := string(first.finish_reason):
            gathered.end(_FINISH.get(finish, ""))
    gathered.usage = told(document.usage, gathered.usage)
    # A stream that fails midway says so in an event; some servers do with status 200 as well.
    gathered.broken |= is_object(document.error)
    return choices


def _weighed(choices: list[_Choice]) -> list[Raw]:
    return [choice.logprobs for choice in choices if is_present(choice.logprobs)]


def _add(message: _Message, gathered: Gathered) -> None:
    gathered.say(string(message.content))
    gathered.refuse(string(message.refusal))
    for view in objects(message.tool_calls):
        call = _CALL.decode(view)
        if is_object(call.function):
            # Servers that give no index give each call in one piece.
            _add_call(number(call.index), call.function, gathered)
    if is_object(message.function_call):  # the older way: there is one
        _add_call(0, message.function_call, gathered)


def _add_call(place: float | None, view: Raw, gathered: Gathered) -> None:
    function = _FUNCTION.decode(view)
    gathered.call(place, string(function.name), string(function.arguments))
