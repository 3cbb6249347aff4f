"""The texts that the domain head learns from, labelled and split.

Splits go by question, never by row: a question that stands in two files, or in two views, is on one side only.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import re
import unicodedata
from enum import StrEnum
from importlib import resources
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

EXAMS = ("domain/mmlu_pro.jsonl.gz", "domain/mmlu_half_a.jsonl.gz", "domain/mmlu_dev.jsonl.gz")
WORD_PROBLEMS = "reasoning/gsm8k_train.jsonl.gz"
EVERYDAY = "benign/prompts.jsonl.gz"
FILES = (*EXAMS, WORD_PROBLEMS, EVERYDAY)
NATURAL = "natural_domain_prompts.jsonl"
TOPICS = "natural_domain_topics.json"
PROGRAMMING = "natural_programming.json"
ARENA_LABELS = "arena_test_labels.jsonl"

OWN = (NATURAL, TOPICS, PROGRAMMING, ARENA_LABELS)

_WORD_PROBLEMS_KEPT = 600
_EVERYDAY_KEPT = 1500
_TEMPLATES = (
    "{}",
    "explain {}",
    "Help me understand {} please",
    "how does {} work",
    "I have a question about {}.",
    "can you give me a short introduction to {}?",
    "write a few paragraphs about {}",
    "What should I know about {}?",
    "quick question on {}",
    "tell me more about {}, I'm new to this",
)
_TEMPLATES_EACH = 3
_PROGRAMMING_MADE = 600
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Everyday utterances that touch another label's ground are left out: their intents are not in the file.
_NOT_EVERYDAY = re.compile(
    r"\b(bank\w*|accounts?|credit|debit|cards?|interest|apr|tax\w*|w2|insur\w*|loans?|pay\w*|bills?|money|dollars?|"
    r"401k|ira|income|salary|rate|mortgage|invest\w*|balance|transfer|transaction\w*|spen[dt]\w*|check\w*|fees?|"
    r"plus|minus|times|divided?|square|percent|sum|calculat\w*|math|number|equal\w*|multipl\w*|"
    r"calorie\w*|nutrition\w*|health\w*|vaccin\w*|shots?|doctor|sick|vitamin\w*|carbs?|protein|"
    r"programm\w*|code|comput\w*|definition|define|mean\w*|meaning)\b"
)


class Split(StrEnum):
    """What a text is for: fitting, choosing, or reporting alone."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Source(StrEnum):
    """Where a text comes from, in which view. Figures are given for each."""

    EXAM = "exam"  # the question alone
    EXAM_OPTIONS = "exam_options"  # the question with its lettered options
    WORD_PROBLEM = "word_problem"
    EVERYDAY = "everyday"
    NATURAL = "natural"  # the project's own prompts
    TOPIC = "topic"  # the project's own topics in plain sentences
    PROGRAMMING = "programming"  # sentences made of the project's own words for languages, tools, tasks and errors
    ARENA = "arena"  # prompts of a public chat arena, labelled by hand; never for training


class Example(Struct, frozen=True):
    """One labelled text."""

    text: str
    label: str
    source: Source
    split: Split


def collect(directory: Path, seed: int) -> list[Example]:
    """Read every source.

    Args:
        directory: holds `FILES`, gzipped JSON Lines.
        seed: picks the rows that are kept where a file has more than are used.

    Returns:
        The examples, in an order that depends on the files and the seed only.

    Raises:
        StartupError: a file is missing or a line in it cannot be read; names both.
    """
    examples = [*_exams(directory), *_word_problems(directory, seed), *_everyday(directory, seed), *_arena(directory)]
    examples += [*natural(), *topics(seed), *programming(seed)]
    held_out = {key(example.text) for example in examples if example.split is not Split.TRAIN}
    return [example for example in examples if example.split is not Split.TRAIN or key(example.text) not in held_out]


def touches_a_field(utterance: str) -> bool:
    """Whether an everyday utterance touches another label's ground: money, health, sums, computers."""
    return _NOT_EVERYDAY.search(utterance) is not None


def natural() -> list[Example]:
    """The project's own prompts, in chat register; a third is held out for validation, as marked in the file."""
    rows = [msgspec.json.decode(line) for line in _own(NATURAL).splitlines()]
    return [
        Example(row["text"], row["label"], Source.NATURAL, Split.VALIDATION if row["held_out"] else Split.TRAIN)
        for row in rows
    ]


def topics(seed: int) -> list[Example]:
    """The project's own topics, each in three sentences of ten; for training alone."""
    chooser = random.Random(seed)  # noqa: S311  a sample, not a secret
    return [
        Example(template.format(topic), label, Source.TOPIC, Split.TRAIN)
        for label, names in msgspec.json.decode(_own(TOPICS), type=dict[str, list[str]]).items()
        for topic in names
        for template in chooser.sample(_TEMPLATES, _TEMPLATES_EACH)
    ]


def programming(seed: int) -> list[Example]:
    """What programmers ask, put together from the project's own word lists; for training alone."""
    words = msgspec.json.decode(_own(PROGRAMMING), type=dict[str, list[str]])
    chooser = random.Random(seed)  # noqa: S311  a sample, not a secret
    texts = {
        chooser.choice(words["templates"]).format(
            language=chooser.choice(words["languages"]),
            tool=chooser.choice(words["tools"]),
            task=chooser.choice(words["tasks"]),
            chore=chooser.choice(words["chores"]),
            error=chooser.choice(words["errors"]),
        ): None
        for _ in range(_PROGRAMMING_MADE)
    }
    return [Example(text, "computer science", Source.PROGRAMMING, Split.TRAIN) for text in texts]


def key(text: str) -> str:
    """What two spellings of one question share: NFKC, lower case, letters and digits only."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


def split_of(text: str) -> Split:
    """8 of 10 questions are for training, 1 for validation, 1 for the test, by a hash of the question."""
    number = hashlib.sha256(f"split {key(text)}".encode()).digest()[0] % 10
    return {8: Split.VALIDATION, 9: Split.TEST}.get(number, Split.TRAIN)


def _exams(directory: Path) -> Iterator[Example]:
    seen: set[str] = set()
    for file in EXAMS:
        for row in read_rows(directory / file, ("text", "label", "options")):
            text = row["text"]
            if key(text) in seen:
                continue
            seen.add(key(text))
            split = split_of(text)
            yield Example(text, row["label"], Source.EXAM, split)
            options = "\n".join(f"{letter}. {option}" for letter, option in zip(_LETTERS, row["options"], strict=False))
            yield Example(f"{text}\n{options}", row["label"], Source.EXAM_OPTIONS, split)


def _word_problems(directory: Path, seed: int) -> list[Example]:
    texts = [row["text"] for row in read_rows(directory / WORD_PROBLEMS, ("text",))]
    return _sample(texts, "math", Source.WORD_PROBLEM, _WORD_PROBLEMS_KEPT, seed)


def _everyday(directory: Path, seed: int) -> list[Example]:
    rows = read_rows(directory / EVERYDAY, ("text", "source"))
    texts = [row["text"] for row in rows if row["source"] == "clinc150" and not touches_a_field(row["text"])]
    return _sample(texts, "other", Source.EVERYDAY, _EVERYDAY_KEPT, seed)


def _arena(directory: Path) -> list[Example]:
    labels = {row["sha256"]: row["label"] for row in map(msgspec.json.decode, _own(ARENA_LABELS).splitlines())}
    rows = read_rows(directory / EVERYDAY, ("text", "source"))
    texts = [row["text"] for row in rows if row["source"] == "arena_hard_v0.1"]
    return [
        # Half to choose by, half to report.
        Example(text, labels[digest], Source.ARENA, Split.TEST if int(digest, 16) % 2 else Split.VALIDATION)
        for text in texts
        if (digest := hashlib.sha256(text.encode()).hexdigest()[:16]) in labels
    ]


def _sample(texts: Iterable[str], label: str, source: Source, size: int, seed: int) -> list[Example]:
    unique = list({key(text): text for text in texts}.values())
    kept = random.Random(seed).sample(unique, min(size, len(unique)))  # noqa: S311  a sample, not a secret
    return [Example(text, label, source, split_of(text)) for text in kept]


def _own(name: str) -> bytes:
    return (resources.files("extproc_router.training") / name).read_bytes()


def read_rows(path: Path, members: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Read gzipped JSON Lines.

    Args:
        path: of the file.
        members: that every row must have.

    Yields:
        One row after the other.

    Raises:
        StartupError: the file is missing or not gzip, or a line is no object with these members.
    """
    try:
        with gzip.open(path) as file:
            for number, line in enumerate(file, start=1):
                row = msgspec.json.decode(line, type=dict[str, Any])
                missing = [member for member in members if member not in row]
                if missing:
                    raise StartupError(f"{path}:{number}: no member {', '.join(missing)}")
                yield row
    except (OSError, EOFError, msgspec.DecodeError) as error:
        raise StartupError(f"{path}: {error}") from error
