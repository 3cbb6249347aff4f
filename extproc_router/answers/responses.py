"""Answers of the responses API, whole or streamed: https://platform.openai.com/docs/api-reference/responses-streaming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.answers.api import Api, Event
from extproc_router.answers.logprobs import of_response
from extproc_router.answers.usage import told
from extproc_router.json_views import ABSENT, is_array, is_object, items, number, objects, string

if TYPE_CHECKING:
    from extproc_router.answers.gathered import Gathered

_INCOMPLETE: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_ONGOING: Final = frozenset({"in_progress", "queued"})  # of a response that is made in the background
_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})


class _Response(Struct, gc=False):
    status: Raw = ABSENT
    output: Raw = ABSENT
    usage: Raw = ABSENT
    error: Raw = ABSENT
    incomplete_details: Raw = ABSENT


class _Details(Struct, gc=False):
    reason: Raw = ABSENT


class _Item(Struct, gc=False):
    type: Raw = ABSENT
    content: Raw = ABSENT
    name: Raw = ABSENT
    arguments: Raw = ABSENT


class _Part(Struct, gc=False):
    type: Raw = ABSENT
    text: Raw = ABSENT
    refusal: Raw = ABSENT
    logprobs: Raw = ABSENT


class _Event(Struct, gc=False):
    type: Raw = ABSENT
    delta: Raw = ABSENT
    error: Raw = ABSENT
    item: Raw = ABSENT
    logprobs: Raw = ABSENT
    output_index: Raw = ABSENT
    part: Raw = ABSENT
    response: Raw = ABSENT


_RESPONSE = msgspec.json.Decoder(_Response)
_DETAILS = msgspec.json.Decoder(_Details)
_ITEM = msgspec.json.Decoder(_Item)
_PART = msgspec.json.Decoder(_Part)
_EVENT = msgspec.json.Decoder(_Event)


def _whole(document: bytes, gathered: Gathered) -> list[Raw]:
    response = _RESPONSE.decode(document)
    output = [_ITEM.decode(item) for item in objects(response.output)]
    parts = [_PART.decode(part) for item in output for part in objects(item.content)]
    for part in parts:
        if string(part.type) == "output_text":
            gathered.say(string(part.text))
            gathered.weigh(of_response(part.logprobs))
        gathered.refuse(string(part.refusal))
    for item in output:
        if string(item.type) == "function_call":
            gathered.call(None, string(item.name), string(item.arguments))
    gathered.broken |= not is_array(response.output)
    _end(response, gathered)
    return _weighed(parts)


def _event(document: bytes, gathered: Gathered) -> Event:
    event = _EVENT.decode(document)
    kind = string(event.type)
    ends = kind in _ENDS
    if kind == "response.output_text.delta":
        gathered.say(string(event.delta))
        gathered.weigh(of_response(event.logprobs))
    elif kind == "response.refusal.delta":
        gathered.refuse(string(event.delta))
    elif kind == "response.function_call_arguments.delta":
        gathered.argue(number(event.output_index), string(event.delta))
    elif kind in {"response.output_item.added", "response.output_item.done"}:
        _begin_call(event, gathered)
    elif ends:
        response = _RESPONSE.decode(event.response) if is_object(event.response) else _Response()
        gathered.broken |= kind == "response.failed"
        _end(response, gathered)
    failed = kind == "error" or is_object(event.error)
    gathered.broken |= failed
    return Event(_weighed_in(event), last=ends or failed)


RESPONSES: Final = Api(_whole, _event, stripped=b"[]")


def _begin_call(event: _Event, gathered: Gathered) -> None:
    item = _ITEM.decode(event.item) if is_object(event.item) else _Item()
    if string(item.type) == "function_call":
        gathered.call(number(event.output_index), string(item.name), otherwise=string(item.arguments))


def _end(response: _Response, gathered: Gathered) -> None:
    status = string(response.status)
    gathered.usage = told(response.usage, gathered.usage)
    gathered.broken |= status == "failed" or is_object(response.error)
    if status == "incomplete":
        details = response.incomplete_details
        reason = string(_DETAILS.decode(details).reason) if is_object(details) else ""
        gathered.end(_INCOMPLETE.get(reason, ""))
    elif status == "completed":
        gathered.end("tool_calls" if gathered.called else "stop")
    else:
        gathered.complete = status not in _ONGOING


def _weighed_in(event: _Event) -> list[Raw]:
    """Every place at which an event repeats log-probabilities."""
    places = [event.logprobs] if items(event.logprobs) else []
    parts = [event.part]
    outputs = [event.item]
    if is_object(event.response):
        outputs += objects(_RESPONSE.decode(event.response).output)
    for item in filter(is_object, outputs):
        parts += objects(_ITEM.decode(item).content)
    return places + _weighed([_PART.decode(part) for part in parts if is_object(part)])


def _weighed(parts: list[_Part]) -> list[Raw]:
    return [part.logprobs for part in parts if items(part.logprobs)]
