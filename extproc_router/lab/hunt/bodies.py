"""Sketched requests -> bodies, each in its API's own words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from extproc_router.lab.hunt.chance import happens

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from extproc_router.lab.hunt.sketches import Said, Sketch

PATHS: Final[Mapping[str, str]] = {
    "chat_completions": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "embeddings": "/v1/embeddings",
    "anthropic_messages": "/v1/messages",
}
_PIXEL = "iVBORw0KGgo="
_COIN = 0.5


def body(rng: random.Random, sketch: Sketch, model: str | None) -> bytes:
    """Write a body; `model` is left out where it is None.

    The member stands anywhere, and letters of what is to be found may be escaped.
    """
    members = _WRITERS[sketch.api](rng, sketch)
    if sketch.stream:
        members["stream"] = True
    if sketch.batch:
        members["service_tier"] = rng.choice(["flex", "batch"])
    named = {} if model is None else {"model": model or rng.choice(["", None])}
    ordered = {**named, **members} if happens(rng, _COIN) else {**members, **named}
    raw = json.dumps(ordered, ensure_ascii=happens(rng, _COIN)).encode()
    if named and happens(rng, 0.03):
        raw = b'{"model": "somebody", ' + raw[1:]  # parsers take the last of two
    for plant in sketch.plants:
        if plant.text.isascii() and happens(rng, 0.15):
            raw = raw.replace(plant.text.encode(), _escaped(plant.text))
    return raw


def _escaped(text: str) -> bytes:
    return "".join(f"\\u{ord(letter):04x}" if place % 3 == 0 else letter for place, letter in enumerate(text)).encode()


def _chat(rng: random.Random, sketch: Sketch) -> dict[str, Any]:
    members: dict[str, Any] = {"messages": [_message(rng, turn, sketch) for turn in sketch.turns]}
    if sketch.declared:
        members["tools"] = [
            {"type": "function", "function": {"name": "lookup", "description": said, "parameters": {"type": "object"}}}
            for said in sketch.declared
        ]
    if sketch.schema:
        schema = {"type": "object", "properties": {"x": {"type": "string", "description": sketch.schema[0]}}}
        members["response_format"] = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    return members


def _message(rng: random.Random, turn: Said, sketch: Sketch) -> dict[str, Any]:
    if turn.role == "call":
        call = {"id": "c1", "type": "function", "function": {"name": turn.text, "arguments": '{"a": 1}'}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if turn.role == "tool":
        return {"role": "tool", "tool_call_id": "c1", "content": turn.text}
    role = rng.choice(["system", "developer"]) if turn.role == "system" else turn.role
    content: Any = turn.text
    if turn is sketch.turns[-1]:
        parts = [{"type": "text", "text": turn.text}] if turn.text else []
        if sketch.image:
            content = [*parts, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PIXEL}"}}]
        elif happens(rng, 0.3):
            content = parts
        return {"role": role, "content": content, **({"name": sketch.speaker} if sketch.speaker else {})}
    return {"role": role, "content": content}


def _completion(rng: random.Random, sketch: Sketch) -> dict[str, Any]:
    if sketch.ids:
        return {"prompt": rng.choice([[1, 2, 3], [[1, 2], [3]]])}
    text = sketch.turns[0].text
    if len(sketch.plants) > 1 and " " not in sketch.plants[-1].text and happens(rng, _COIN):
        first, _, second = text.rpartition(" ")
        return {"prompt": first, "suffix": second}
    return {"prompt": rng.choice([text, [text]])}


def _embedding(rng: random.Random, sketch: Sketch) -> dict[str, Any]:
    text = sketch.turns[0].text
    return {"input": [7, 8, 9] if sketch.ids else rng.choice([text, [text]])}


def _response(rng: random.Random, sketch: Sketch) -> dict[str, Any]:
    turns = sketch.turns
    members: dict[str, Any] = {}
    if turns[0].role == "system":
        members["instructions"], turns = turns[0].text, turns[1:]
    if len(turns) == 1 and not sketch.image and happens(rng, _COIN):
        members["input"] = turns[0].text
    else:
        members["input"] = [_item(turn, sketch) for turn in turns]
    if sketch.declared:
        members["tools"] = [{"type": "function", "name": "lookup", "description": said} for said in sketch.declared]
    if sketch.schema:
        schema = {"type": "object", "properties": {"x": {"type": "string", "description": sketch.schema[0]}}}
        members["text"] = {"format": {"type": "json_schema", "name": "s", "schema": schema}}
    return members


def _item(turn: Said, sketch: Sketch) -> dict[str, Any]:
    if turn.role == "call":
        return {"type": "function_call", "call_id": "c1", "name": turn.text, "arguments": "{}"}
    if turn.role == "tool":
        return {"type": "function_call_output", "call_id": "c1", "output": turn.text}
    kind = "output_text" if turn.role == "assistant" else "input_text"
    parts: list[dict[str, Any]] = [{"type": kind, "text": turn.text}]
    if sketch.image and turn is sketch.turns[-1]:
        parts.append({"type": "input_image", "image_url": f"data:image/png;base64,{_PIXEL}"})
    return {"role": turn.role, "content": parts}


def _anthropic(rng: random.Random, sketch: Sketch) -> dict[str, Any]:
    turns = sketch.turns
    members: dict[str, Any] = {"max_tokens": 100}
    if turns[0].role == "system":
        said: Any = turns[0].text
        members["system"], turns = rng.choice([said, [{"type": "text", "text": said}]]), turns[1:]
    members["messages"] = [_block(turn, sketch) for turn in turns]
    if sketch.declared:
        members["tools"] = [
            {"name": "lookup", "description": said, "input_schema": {"type": "object"}} for said in sketch.declared
        ]
    if sketch.schema:
        schema = {"type": "object", "properties": {"x": {"type": "string", "description": sketch.schema[0]}}}
        members["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return members


def _block(turn: Said, sketch: Sketch) -> dict[str, Any]:
    if turn.role == "call":
        call = {"type": "tool_use", "id": "c1", "name": turn.text, "input": {"a": 1}}
        return {"role": "assistant", "content": [call]}
    if turn.role == "tool":
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": turn.text}]}
    if sketch.image and turn is sketch.turns[-1]:
        source = {"type": "base64", "media_type": "image/png", "data": _PIXEL}
        return {
            "role": turn.role,
            "content": [{"type": "text", "text": turn.text}, {"type": "image", "source": source}],
        }
    return {"role": turn.role, "content": turn.text}


_WRITERS: Final[Mapping[str, Callable[[random.Random, Sketch], dict[str, Any]]]] = {
    "chat_completions": _chat,
    "completions": _completion,
    "responses": _response,
    "embeddings": _embedding,
    "anthropic_messages": _anthropic,
}
