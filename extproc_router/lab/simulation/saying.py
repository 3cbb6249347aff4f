"""What a simulated model says, token by token, before an API gives it a shape."""

from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct, structs

from extproc_router.lab.simulation import quality
from extproc_router.lab.simulation.instances import instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.lab.simulation.asked import Asked
    from extproc_router.lab.simulation.behaviour import Behaviour, Kind

Finish: TypeAlias = Literal["stop", "length", "tool_calls", "refusal"]

RIGHT = "The answer is certain:"
WRONG = "The answer is mistaken:"
REFUSAL = "I'm sorry, but I can't help with that."
HEDGING = "I'm not sure, but it might be 42; I could be wrong about this."
BROKEN_JSON = '{"answer": 42, "why": "it is'
FILLER = " more"
_NUMBERS = 1000
_FILLED = frozenset({"plain", "good", "bad", "hedging", "refusal", "truncated"})
_TOKEN = re.compile(r"\s*\S+\s*|\s+")


class Said(Struct, frozen=True):
    """An answer.

    Attributes:
        tokens: its text, cut; of a tool call, its arguments.
        logprobs: one for each token; empty where none are told.
        finish: why it ended.
        tool: name of the tool that is called; empty where none is.
    """

    tokens: tuple[str, ...]
    logprobs: tuple[float, ...] = ()
    finish: Finish = "stop"
    tool: str = ""

    @property
    def text(self) -> str:
        """The tokens in one piece."""
        return "".join(self.tokens)


def say(asked: Asked, behaviour: Behaviour, outcomes: Mapping[str, bool]) -> Said:
    """Answer a request; log-probabilities are there where they are asked for and the behaviour tells them."""
    kind = _kind(asked, behaviour, outcomes)
    said = _words(kind, asked)
    if kind in _FILLED:
        missing = max(0, behaviour.answer_tokens - len(said.tokens))
        said = structs.replace(said, tokens=(*said.tokens, *(FILLER for _ in range(missing))))
    if kind == "truncated":
        said = structs.replace(said, tokens=said.tokens[: len(said.tokens) // 2], finish="length")
    if asked.max_tokens is not None and asked.max_tokens < len(said.tokens):
        said = structs.replace(said, tokens=said.tokens[: asked.max_tokens], finish="length")
    if asked.top_logprobs is None or behaviour.without_logprobs:
        return said
    drawn = quality.logprobs(asked, behaviour, good=kind != "bad", tokens=len(said.tokens))
    return structs.replace(said, logprobs=drawn)


def _kind(asked: Asked, behaviour: Behaviour, outcomes: Mapping[str, bool]) -> Kind:
    if behaviour.answer != "plain":
        return behaviour.answer
    good = quality.is_good(asked, behaviour, outcomes)
    return "plain" if good is None else "good" if good else "bad"


def _words(kind: Kind, asked: Asked) -> Said:
    speaker = f"{asked.model} on {asked.cluster} says"
    match kind:
        case "good":
            text = f"{speaker}: {RIGHT} {_right(asked)}."
        case "bad":
            wrong = (_right(asked) + Random(f"{asked.model}\0{asked.prompt}").randrange(1, _NUMBERS)) % _NUMBERS
            text = f"{speaker}: {WRONG} {wrong}."
        case "hedging":
            text = HEDGING
        case "refusal" | "marked_refusal":
            text = REFUSAL
        case "empty":
            text = ""
        case "json":
            text = json.dumps(instance(asked.schema))
        case "invalid_json":
            text = BROKEN_JSON
        case "tool_call" | "broken_tool_call":
            tool = asked.tool
            text = json.dumps(instance(tool.schema)) if kind == "tool_call" else BROKEN_JSON
            return Said(_cut(text), finish="tool_calls", tool=tool.name)
        case "plain" | "truncated":
            text = f"{speaker} hello."
    return Said(_cut(text), finish="refusal" if kind == "marked_refusal" else "stop")


def _right(asked: Asked) -> int:
    """The same for all models."""
    return Random(asked.prompt).randrange(_NUMBERS)


def _cut(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text))
