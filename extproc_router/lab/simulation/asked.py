"""What a request asks of a simulated model, read leniently: what has the wrong type counts as absent."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from extproc_router.evaluation.rows import content_of
from extproc_router.lab.simulation.answer import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

APIS: Mapping[str, str] = {
    "/v1/chat/completions": "chat_completions",
    "/v1/completions": "completions",
    "/v1/responses": "responses",
    "/v1/embeddings": "embeddings",
    "/v1/messages": "anthropic_messages",
}
UNMARKED_DIFFICULTY = 0.5
MAX_TOP_LOGPROBS = 20
_BYTES_PER_TOKEN = 4
_DIFFICULTY = re.compile(r"\[difficulty=(0(?:\.\d{1,9})?|1(?:\.0{1,9})?)\]")
_BOUNDS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


class Tool(Struct, frozen=True):
    """A declared tool: its name, and the JSON Schema of its arguments."""

    name: str
    schema: Json


class Asked(Struct, frozen=True):
    """One request.

    Attributes:
        api: name of the dialect.
        cluster: that the server stands for.
        model: that it names; empty where it names none.
        body: as parsed.
        size: bytes of the body.
    """

    api: str
    cluster: str
    model: str
    body: Json
    size: int

    @property
    def prompt_tokens(self) -> int:
        """A stand-in for a tokenizer: a token for every four bytes of request."""
        return max(1, self.size // _BYTES_PER_TOKEN)

    @property
    def max_tokens(self) -> int | None:
        """Bound on the answer, under whichever name; None where there is none."""
        return next((bound for name in _BOUNDS if (bound := _number(self.body.get(name))) is not None), None)

    @property
    def stream(self) -> bool:
        """Whether server-sent events are asked for."""
        return self.body.get("stream") is True and self.api != "embeddings"

    @property
    def stream_usage(self) -> bool:
        """Whether a stream's usage is asked for."""
        return bool(member(self.body, "stream_options").get("include_usage"))

    @property
    def top_logprobs(self) -> int | None:
        """How many alternatives to each token are asked for; None where no log-probabilities are."""
        body = self.body
        match self.api:
            case "chat_completions":
                asked, top = body.get("logprobs") is True, body.get("top_logprobs")
            case "completions":
                asked, top = _number(body.get("logprobs")) is not None, body.get("logprobs")
            case "responses":
                asked = "message.output_text.logprobs" in elements(body, "include")
                top = body.get("top_logprobs")
            case _:
                return None
        return min(_number(top) or 0, MAX_TOP_LOGPROBS) if asked else None

    @property
    def prompt(self) -> str:
        """What the user said last, the text of it."""
        if self.api == "completions":
            prompt = self.body.get("prompt")
            return prompt if isinstance(prompt, str) else ""
        turns = self.body.get("input" if self.api == "responses" else "messages")
        if isinstance(turns, str):
            return turns
        said = [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []
        users = [turn for turn in said if turn.get("role") == "user"]
        return content_of(users[-1].get("content")) if users else ""

    @property
    def difficulty(self) -> float:
        """What the prompt's last `[difficulty=0.73]` says, in [0, 1]."""
        marks = _DIFFICULTY.findall(self.prompt)
        return float(marks[-1]) if marks else UNMARKED_DIFFICULTY

    @property
    def schema(self) -> Json:
        """The JSON Schema that the answer is demanded in; empty where any JSON would do, or none was demanded."""
        match self.api:
            case "chat_completions" | "completions":
                return member(member(member(self.body, "response_format"), "json_schema"), "schema")
            case "responses":
                return member(member(member(self.body, "text"), "format"), "schema")
            case _:
                return member(member(member(self.body, "output_config"), "format"), "schema")

    @property
    def tool(self) -> Tool:
        """The first declared tool; one named `lookup` where none is."""
        first = next((tool for tool in elements(self.body, "tools") if isinstance(tool, dict)), {})
        declared = first if isinstance(first.get("name"), str) else member(first, "function")
        name = declared.get("name")
        schema = member(declared, "input_schema") or member(declared, "parameters")
        return Tool(name if isinstance(name, str) else "lookup", schema)


def read(cluster: str, path: str, body: bytes) -> Asked | None:
    """Read a request; None where its path is no API's, or its body no JSON object."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict):
        return None
    model = parsed.get("model")
    return Asked(APIS[path], cluster, model if isinstance(model, str) else "", parsed, len(body))


def member(value: Json, name: str) -> Json:
    """An object's member that is an object itself, or an empty one."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def elements(value: Json, name: str) -> list[Any]:
    """An object's member that is a list, or an empty one."""
    found = value.get(name)
    return found if isinstance(found, list) else []


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
