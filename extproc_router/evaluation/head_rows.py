"""Labelled rows and a head's answers to them.

A line is `{"label": ..., ...}` with the answer in one of these shapes: `probs: {label: p}`; `NAME: {probs}` or
`NAME: {p, flag}`, as `extproc-router score` writes them, also under `heads`; `score: p` for the label 1 (or true)
against 0; or `text` (or `prompt`) alone, which the encoder reads. `source` names a slice, `text` or `length`
(characters) gives the length bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from extproc_router.bulk.jsonl import Faults, read_lines
from extproc_router.bulk.progress import Progress
from extproc_router.errors import EncoderFailed, StartupError
from extproc_router.evaluation.arrays import Flags, Floats, Index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Reader = Callable[[str], "Answer"]

NO, YES = "0", "1"


class Answer(Struct, frozen=True):
    """A head's answer to one text: label -> probability, and of a flag whether it is raised, where that is known."""

    probs: Mapping[str, float]
    raised: bool | None = None


def of_flag(p: float, *, raised: bool | None) -> Answer:
    """Return the answer of a flag: p for `YES`."""
    return Answer({NO: 1.0 - p, YES: p}, raised)


class Answers(Struct, frozen=True):
    """n labelled rows with a head's answers.

    Attributes:
        labels: of the head.
        truth: intp [n], an index into `labels`.
        probs: float64 [n, labels], rows that sum to 1.
        sources: one per row; empty where a row has none.
        lengths: intp [n], characters; -1 where unknown.
        interrupted: whether Ctrl-C cut the reading short.
        raised: bool [n], whether the flag is raised at its shipped threshold; None where that is not known of each row.
    """

    labels: tuple[str, ...]
    truth: Index
    probs: Floats
    sources: tuple[str, ...]
    lengths: Index
    interrupted: bool
    raised: Flags | None = None

    def __len__(self) -> int:
        return len(self.truth)


def read(
    path: Path, head: str, *, label_field: str = "label", encode: Reader | None = None, strict: bool = False
) -> tuple[Answers, Faults]:
    """Read labelled rows.

    Args:
        path: JSON Lines, plain or gzipped.
        head: which of `heads` is meant.
        label_field: the member with the true label.
        encode: reads a text; asked for rows without an answer.
        strict: whether a bad row is an error.

    Raises:
        StartupError: the file cannot be read, a row is bad in strict mode, or no row is left.
    """
    faults = Faults(str(path), strict=strict)
    answers: list[Answer] = []
    truth: list[str] = []
    sources: list[str] = []
    lengths: list[int] = []
    interrupted = False
    decoder = msgspec.json.Decoder(dict[str, Any])
    try:
        with Progress("reading", None) as progress:
            for number, line in progress.over(read_lines(path)):
                try:
                    row = decoder.decode(line)
                    label, answer = _label(row, label_field), _answer(row, head, encode)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, EncoderFailed) as error:
                    faults.add(number, str(error))
                    continue
                if label not in answer.probs:
                    faults.add(number, f"the label {label!r} is none of the head's: {', '.join(answer.probs)}")
                    continue
                answers.append(answer)
                truth.append(label)
                sources.append(str(row.get("source", "")))
                lengths.append(_length(row))
    except KeyboardInterrupt:
        interrupted = True
    if not answers:
        raise StartupError(f"{path}: no usable row\n{faults}".rstrip())
    labels = tuple(dict.fromkeys(label for answer in answers for label in answer.probs))
    place = {label: index for index, label in enumerate(labels)}
    rows = min(len(column) for column in (answers, truth, sources, lengths))
    probs = np.zeros((rows, len(labels)))
    for row_number, answer in enumerate(answers[:rows]):
        probs[row_number, [place[label] for label in answer.probs]] = list(answer.probs.values())
    total = probs.sum(axis=1, keepdims=True)
    raised = [answer.raised for answer in answers[:rows]]
    return (
        Answers(
            labels=labels,
            truth=np.array([place[label] for label in truth[:rows]], dtype=np.intp),
            probs=probs / total,
            sources=tuple(sources[:rows]),
            lengths=np.array(lengths[:rows], dtype=np.intp),
            interrupted=interrupted,
            raised=None if None in raised else np.array(raised, dtype=np.bool_),
        ),
        faults,
    )


def _label(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    if value is None or isinstance(value, dict | list | float):
        raise ValueError(f"no label under {field!r}")
    return str(int(value)) if isinstance(value, bool) else str(value)


def _answer(row: dict[str, Any], head: str, encode: Reader | None) -> Answer:
    heads = row.get("heads")
    named = (heads if isinstance(heads, dict) else row).get(head)
    if isinstance(named, dict) and "p" in named:
        raised = named.get("flag")
        return _checked(of_flag(_number(named["p"]), raised=raised if isinstance(raised, bool) else None))
    probs = named.get("probs") if isinstance(named, dict) else row.get("probs")
    if isinstance(probs, dict):
        return _checked(Answer({label: _number(p) for label, p in probs.items()}))
    if "score" in row:
        return _checked(of_flag(_number(row["score"]), raised=None))
    text = row.get("text", row.get("prompt"))
    if encode is None or not isinstance(text, str):
        raise ValueError(f"no answer of the head {head!r}: expected `probs`, `{head}`, `heads`, `score` or `text`")
    return encode(text)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a probability is not a number")  # noqa: TRY004 - one kind of error for a bad row
    return float(value)


def _checked(answer: Answer) -> Answer:
    probs = answer.probs
    if len(probs) < 2 or min(probs.values()) < 0 or max(probs.values()) > 1 or not sum(probs.values()) > 0:  # noqa: PLR2004 - a head chooses
        raise ValueError("the answer needs two labels or more with probabilities in [0, 1]")
    return answer


def _length(row: dict[str, Any]) -> int:
    text = row.get("text", row.get("prompt"))
    if isinstance(text, str):
        return len(text)
    length = row.get("length")
    return length if isinstance(length, int) and not isinstance(length, bool) and length >= 0 else -1
