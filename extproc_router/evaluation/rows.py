"""One line of an outcomes file: what a prompt was, and how well each model answered it.

Known shapes, which one file may mix:

* `scores: {model: number}` (also spelled `correct`), any range as long as more is better;
* `weak_model`, `strong_model`, `weak_correct`, `strong_correct`: one pair, as RouteLLM's response files have it;
* `model_a`, `model_b`, `winner` in `model_a | model_b | tie...`: a judged preference, as Chatbot Arena has it; the
  winner scores 1, the loser 0, a tie 0.5 each.

Beside it `prompt` or `messages`, `costs: {model: number}`, and a group under one of `GROUP_FIELDS`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

GROUP_FIELDS = ("group", "category", "subject", "task", "domain")
MOST = 1e12
"""Scores and costs beyond it are bad rows: sums and squares of them would lose every other row, or overflow."""
_Number = float | bool


class Row(Struct, frozen=True):
    """A line as written; unknown members are ignored."""

    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    scores: dict[str, _Number | None] | None = None
    correct: dict[str, _Number | None] | None = None
    weak_model: str | None = None
    strong_model: str | None = None
    weak_correct: _Number | None = None
    strong_correct: _Number | None = None
    model_a: str | None = None
    model_b: str | None = None
    winner: str | None = None
    costs: dict[str, float | None] | None = None
    group: str | int | None = None
    category: str | int | None = None
    subject: str | int | None = None
    task: str | int | None = None
    domain: str | int | None = None


def scores_of(row: Row) -> dict[str, float]:
    """Return model -> score, larger is better.

    Raises:
        ValueError: the row has no scores in a known shape, or one beyond `MOST`.
    """
    scores = _scores(row)
    _bounded("score", scores)
    return scores


def costs_of(row: Row) -> dict[str, float]:
    """Return model -> cost of this request, for those that are known.

    Raises:
        ValueError: one is beyond `MOST`.
    """
    costs = {model: cost for model, cost in (row.costs or {}).items() if cost is not None}
    _bounded("cost", costs)
    return costs


def _bounded(what: str, values: dict[str, float]) -> None:
    for model, value in values.items():
        if not abs(value) <= MOST:
            raise ValueError(f"the {what} of {model} is {value:g}: beyond {MOST:g}")


def _scores(row: Row) -> dict[str, float]:
    table = row.scores if row.scores is not None else row.correct
    if table is not None:
        return {model: float(score) for model, score in table.items() if score is not None}
    if row.weak_model and row.strong_model and row.weak_correct is not None and row.strong_correct is not None:
        return {row.weak_model: float(row.weak_correct), row.strong_model: float(row.strong_correct)}
    if row.model_a and row.model_b and row.winner:
        return _preference(row.model_a, row.model_b, row.winner)
    raise ValueError("no scores: expected `scores`, `correct`, weak_/strong_ model and correct, or a judged preference")


def has_scores(row: Row) -> bool:
    """Whether the row has scores at all, well formed or not."""
    return any(value is not None for value in (row.scores, row.correct, row.weak_correct, row.winner))


def text_of(row: Row) -> str:
    """Return the prompt: as written, or what the messages of the user say, joined by newlines.

    Raises:
        ValueError: there is neither.
    """
    if row.prompt is not None:
        return row.prompt
    if row.messages is not None:
        return "\n".join(
            content_of(message.get("content")) for message in row.messages if message.get("role", "user") == "user"
        )
    raise ValueError("no prompt: expected `prompt` or `messages`")


def group_of(row: Row, field: str | None = None) -> str:
    """Return the row's group, empty where it has none; `field` picks one of `GROUP_FIELDS`."""
    for name in (field,) if field else GROUP_FIELDS:
        value = getattr(row, name, None)
        if value is not None:
            return str(value)
    return ""


def decoder(columns: tuple[str, ...] = ()) -> msgspec.json.Decoder[Row]:
    """Build a decoder of lines.

    Args:
        columns: further members to read, numbers each; they become attributes of the same name.

    Raises:
        ValueError: a column's name is no identifier or one of the row's own.
    """
    for name in columns:
        if not name.isidentifier() or name.startswith("_") or hasattr(Row, name):
            raise ValueError(f"{name!r} cannot be a column of scores")
    fields = [(name, float | None, None) for name in columns]
    kind = msgspec.defstruct("RowWithColumns", fields, bases=(Row,), frozen=True) if columns else Row
    return msgspec.json.Decoder(kind)


def _preference(a: str, b: str, winner: str) -> dict[str, float]:
    if a == b:
        raise ValueError(f"model_a and model_b are both {a!r}: that compares nothing")
    if winner in ("model_a", a):
        return {a: 1.0, b: 0.0}
    if winner in ("model_b", b):
        return {a: 0.0, b: 1.0}
    if winner.startswith("tie"):
        return {a: 0.5, b: 0.5}
    raise ValueError(f"winner is {winner!r}: expected model_a, model_b or tie")


def content_of(content: object) -> str:
    """Return the text of a message's content: a string, or the text parts of a list, joined by newlines."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
