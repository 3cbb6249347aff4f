"""The rows that the trunk and its heads learn from: the shared data and the project's own prompts, with every label.

Splits go by question, template or group, never by row, and what stands on a held-out side is dropped from training.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from extproc_router.training import data, prompts
from extproc_router.training.data import Source, Split, key, read_rows, split_of
from extproc_router.training.prompts import pii
from extproc_router.training.rows import Row, Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HALF_A = "outcomes/mmlu_half_a.jsonl.gz"
MMLU_PRO = "outcomes/mmlu_pro.jsonl.gz"
LLMROUTER = "outcomes/llmrouter.jsonl.gz"
TASKS = "reasoning/llmrouter_tasks.jsonl.gz"
TRIVIA = "domain/opentriviaqa.jsonl.gz"
ATTACKS = "jailbreak/positives.jsonl.gz"
PRESIDIO = "pii/presidio.jsonl.gz"
SUBJECTS = "domain/mmlu_subject_to_category.json"
FILES = (*data.FILES, HALF_A, MMLU_PRO, LLMROUTER, TASKS, TRIVIA, ATTACKS, PRESIDIO)

# Sources of MMLU-Pro that ask for a calculation.
_WORKED = ("stemez", "scibench", "theoremQA")
# A placeholder in a collected attack would become the cue.
_PLACEHOLDER = re.compile(
    r"[\[{<(][^\]}>)\n]{0,40}(?:prompt|question|insert|text|request|here)[^\]}>)\n]{0,40}[\]}>)]", re.IGNORECASE
)
_GENERATED = 3000
# Names that differ between the two sources of personal data.
_SAME_TYPE = {"DATE_OF_BIRTH": "DATE_TIME"}
# Formats, not ability: a model that is right this seldom on a task did not answer in the form that was scored.
_FORMAT_FAILURE = 0.06


def collect(directory: Path, seed: int) -> list[Row]:
    """Read everything.

    Args:
        directory: holds `FILES`.
        seed: of what is drawn or generated.

    Returns:
        The rows, in an order that depends on the files and the seed only.

    Raises:
        StartupError: a file is missing or malformed.
    """
    rows = [
        *_domain(directory, seed),
        *_half_a(directory),
        *_mmlu_pro(directory),
        *_llmrouter(directory),
        *_word_problems(directory),
        *_trivia(directory),
        *_utterances(directory),
        *_attacks(directory),
        *_roles(directory),
        *_own(),
        *_presidio(directory),
        *_generated(seed),
    ]
    held_out = {key(row.text) for row in rows if row.split is not Split.TRAIN}
    return [row for row in rows if row.split is not Split.TRAIN or key(row.text) not in held_out]


_OFTEN = {Source.EXAM: 0.8, Source.NATURAL: 4.0, Source.TOPIC: 0.8, Source.PROGRAMMING: 0.5}


def _domain(directory: Path, seed: int) -> Iterator[Row]:
    subjects = _subjects_of(directory)
    for example in data.collect(directory, seed):
        if example.source in (Source.EXAM_OPTIONS, Source.WORD_PROBLEM, Source.EVERYDAY):
            continue  # the outcomes have the options; the others follow below, with all their labels
        everyday = example.source is Source.NATURAL and example.label == "other"
        yield Row(
            text=example.text,
            source=example.source.value,
            split=example.split,
            often=_OFTEN.get(example.source, 0.0),
            domain=example.label,
            topic=subjects.get(key(example.text)) if example.source is Source.EXAM else None,
            reasoning=0.0 if everyday else None,
            jailbreak=0.0,
        )


def _subjects_of(directory: Path) -> dict[str, str]:
    files = ("domain/mmlu_half_a.jsonl.gz", "domain/mmlu_dev.jsonl.gz")
    rows = (row for file in files for row in read_rows(directory / file, ("text", "subject")))
    return {key(row["text"]): row["subject"] for row in rows}


def _question(prompt: str) -> str:
    return prompt.partition("\nA. ")[0]


def _half_a(directory: Path) -> Iterator[Row]:
    categories = msgspec.json.decode((directory / SUBJECTS).read_bytes(), type=dict[str, str])
    for row in read_rows(directory / HALF_A, ("prompt", "subject", "weak_model", "strong_model")):
        yield Row(
            text=row["prompt"].removesuffix("\nAnswer:"),
            source="half_a",
            split=split_of(_question(row["prompt"])),
            often=1.2,
            domain=categories[row["subject"]],
            topic=row["subject"],
            jailbreak=0.0,
            outcomes={
                row["weak_model"]: float(row["weak_correct"]),
                row["strong_model"]: float(row["strong_correct"]),
            },
        )


def _mmlu_pro(directory: Path) -> Iterator[Row]:
    sources = {key(row["text"]): row["source"] for row in read_rows(directory / data.EXAMS[0], ("text", "source"))}
    for row in read_rows(directory / MMLU_PRO, ("prompt", "category", "correct")):
        question = _question(row["prompt"])
        worked = sources.get(key(question), "").startswith(_WORKED)
        yield Row(
            text=row["prompt"],
            source="mmlu_pro",
            split=split_of(question),
            domain=row["category"],
            reasoning=0.9 if worked else None,
            jailbreak=0.0,
            outcomes={f"pro/{model}": float(right) for model, right in row["correct"].items()},
        )


def _llmrouter(directory: Path) -> Iterator[Row]:
    labels = {key(row["text"]): row["label"] for row in read_rows(directory / TASKS, ("text", "label"))}
    rows = list(read_rows(directory / LLMROUTER, ("prompt", "task", "scores")))
    kept = _answered(rows)
    for row in rows:
        label = labels.get(key(row["prompt"]))
        task = row["task"]
        yield Row(
            text=row["prompt"],
            source=f"llmrouter/{task}",
            split=split_of(_question(row["prompt"])),
            often=1.5 if task == "gsm8k" else 0.8,
            domain={"gsm8k": "math", "math": "math", "mbpp": "computer science", "human_eval": "computer science"}.get(
                task
            ),
            reasoning=None if label is None else float(label),
            jailbreak=0.0,
            outcomes={f"router/{m}": min(1.0, max(0.0, s)) for m, s in row["scores"].items() if (task, m) in kept},
        )


def _answered(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    scores: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for model, score in row["scores"].items():
            scores.setdefault((row["task"], model), []).append(score)
    return {cell for cell, values in scores.items() if sum(values) / len(values) > _FORMAT_FAILURE}


def _word_problems(directory: Path) -> Iterator[Row]:
    for row in read_rows(directory / data.WORD_PROBLEMS, ("text",)):
        text = row["text"]
        yield Row(
            text=text,
            source="gsm8k",
            split=split_of(text),
            often=0.3,
            domain="math",
            reasoning=1.0,
            jailbreak=0.0,
        )


_TRIVIA_DOMAIN = {"history": "history", "sports": "other", "geography": "other"}


def _trivia(directory: Path) -> Iterator[Row]:
    for row in read_rows(directory / TRIVIA, ("text", "topic")):
        yield Row(
            text=row["text"],
            source="trivia",
            split=split_of(row["text"]),
            often=0.35,
            domain=_TRIVIA_DOMAIN.get(row["topic"]),
            topic=f"trivia/{row['topic']}",
            reasoning=0.0 if row["topic"] != "brain-teasers" else None,
            jailbreak=0.0,
        )


def _utterances(directory: Path) -> Iterator[Row]:
    for row in read_rows(directory / data.EVERYDAY, ("text", "source")):
        if row["source"] not in ("clinc150", "banking77"):
            continue
        plain = row["source"] == "clinc150" and not data.touches_a_field(row["text"])
        yield Row(
            text=row["text"],
            source=row["source"],
            split=split_of(row["text"]),
            often=0.3 if plain else 0.15,
            domain="other" if plain else None,
            reasoning=0.0,
            jailbreak=0.0,
            spans=(),
        )


def _attacks(directory: Path) -> Iterator[Row]:
    for row in read_rows(directory / ATTACKS, ("text", "source", "group")):
        if row["source"].startswith("bipia"):
            continue  # plain requests: an injection only inside a document
        yield Row(
            text=_PLACEHOLDER.sub("", row["text"]),
            source=row["source"],
            split=_side(f"attack {row['group']}"),
            often=3.0,
            jailbreak=1.0,
            group=f"pool-{row['group']}",
        )


def _roles(directory: Path) -> Iterator[Row]:
    for row in read_rows(directory / data.EVERYDAY, ("text", "source", "kind")):
        if row["source"] == "awesome_prompts":
            yield Row(
                text=row["text"],
                source="awesome_prompts",
                split=split_of(row["text"]),
                often=1.5,
                jailbreak=0.0,
            )


def _own() -> Iterator[Row]:
    for name in ("jailbreak", "lookalikes", "reasoning", "difficulty", "domain_multilingual"):
        for example in prompts.load(name):
            row = Row(
                text=example.text,
                source=f"own/{name}",
                split=prompts.split(example),
                group=example.group,
                jailbreak=1.0 if name == "jailbreak" else 0.0,
                often=4.0,
            )
            match name:
                case "reasoning":
                    yield replace(row, reasoning=float(example.label))
                case "difficulty":
                    # The ends are plain; the middle is a matter of taste.
                    ends = {1: 0.0, 5: 1.0}
                    yield replace(row, reasoning=ends.get(int(example.label)), often=1.5)
                case "domain_multilingual":
                    yield replace(row, domain=str(example.label), often=3.0)
                case _:
                    yield row


def _presidio(directory: Path) -> Iterator[Row]:
    for row in read_rows(directory / PRESIDIO, ("text", "spans", "template_id")):
        spans = sorted((Span(span["start"], span["end"], span["type"]) for span in row["spans"]), key=lambda s: s.start)
        yield Row(
            text=row["text"],
            source="presidio",
            split=_side(f"template {row['template_id']}"),
            often=1.0,
            jailbreak=0.0,
            spans=tuple(spans),
            group=f"template-{row['template_id']}",
            noisy=False,
        )


def _generated(seed: int) -> Iterator[Row]:
    for filled in pii.generate(_GENERATED, seed):
        yield Row(
            text=filled.text,
            source="own/pii",
            split=filled.split,
            often=1.0,
            jailbreak=0.0,
            spans=tuple(Span(s.start, s.end, _SAME_TYPE.get(s.type, s.type)) for s in filled.spans),
            group=filled.group,
            noisy=False,
        )


def _side(name: str) -> Split:
    number = hashlib.sha256(f"split {name}".encode()).digest()[0] % 10
    return {7: Split.VALIDATION, 8: Split.VALIDATION, 9: Split.TEST}.get(number, Split.TRAIN)
