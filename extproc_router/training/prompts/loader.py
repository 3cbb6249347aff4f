"""Read the project's own labelled prompts, and say which side of the split each is on."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.training.data import Split, key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOMAINS: Final = (
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
)
# What may stand as label in each file.
LABELS: Final[Mapping[str, frozenset[int | str]]] = {
    "jailbreak": frozenset({1}),
    "lookalikes": frozenset({0}),
    "reasoning": frozenset({0, 1}),
    "difficulty": frozenset({1, 2, 3, 4, 5}),
    "domain_multilingual": frozenset(DOMAINS),
    "pii_templates": frozenset({0, 1}),
}
NAMES: Final = tuple(LABELS)

_FOLDS = 5
_LANGUAGE = re.compile(r"[a-z]{2}")
_SLUG = re.compile(r"[a-z0-9_-]+")


class Register(StrEnum):
    """The manner in which a prompt is written."""

    CHAT = "chat"
    EMAIL = "email"
    TERSE = "terse"
    TYPO = "typo"
    FORMAL = "formal"
    CODE_PASTE = "code-paste"
    DOC_PASTE = "doc-paste"
    ROLEPLAY = "roleplay"
    AGENT = "agent"
    TICKET = "ticket"


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """One labelled prompt.

    Attributes:
        text: the prompt; never blank.
        label: 1 or 0 in `jailbreak`, `lookalikes`, `reasoning` (1: step-by-step thinking pays) and `pii_templates`
            (1: has slots); 1 (any small model) to 5 (only strong ones) in `difficulty`; one of `DOMAINS` in
            `domain_multilingual`.
        family: the kind of prompt, e.g. `indirect_email`.
        lang: ISO 639-1 code of the language that prevails.
        register: the manner.
        group: prompts of one group resemble one another and stay on one side of the split; groups reach across files.
    """

    text: str
    label: int | str
    family: str
    lang: str
    register: Register
    group: str


def load(name: str) -> tuple[Example, ...]:
    """Read one of the files beside this module.

    Args:
        name: one of `NAMES`.

    Returns:
        The examples, in file order.

    Raises:
        KeyError: there is no such file.
        StartupError: a line cannot be read; names file and line.
    """
    labels = LABELS[name]
    return parse((resources.files(__package__) / f"{name}.jsonl").read_bytes(), f"{name}.jsonl", labels)


def parse(content: bytes, file: str, labels: frozenset[int | str]) -> tuple[Example, ...]:
    """Read JSON Lines, one `Example` a line with its members in the order of the class.

    Args:
        content: UTF-8.
        file: for messages.
        labels: which are allowed.

    Returns:
        The examples, in file order.

    Raises:
        StartupError: `file:line: what is wrong`, for the first line that is wrong.
    """
    examples: list[Example] = []
    seen: dict[str, int] = {}
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:-1] if not lines[-1] else lines, start=1):
        try:
            example = _example(line)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise StartupError(f"{file}:{number}: {error}") from error
        problems = [*_problems(example, labels)]
        # A text of symbols alone has an empty key.
        previous = seen.setdefault(key(example.text) or example.text, number)
        if previous != number:
            problems.append(f"same text as line {previous}")
        if problems:
            raise StartupError(f"{file}:{number}: {'; '.join(problems)}")
        examples.append(example)
    return tuple(examples)


def split(example: Example) -> Split:
    """One group in five is for validation, by a hash of its name; the others are for training."""
    digest = hashlib.sha256(f"prompts {example.group}".encode()).digest()
    return Split.TRAIN if int.from_bytes(digest[:8]) % _FOLDS else Split.VALIDATION


def _example(line: bytes) -> Example:
    row = msgspec.json.decode(line, type=dict[str, Any])
    example = msgspec.convert(row, Example)
    if tuple(row) != Example.__struct_fields__:
        raise ValueError(f"members must stand in the order {', '.join(Example.__struct_fields__)}")
    return example


def _problems(example: Example, labels: frozenset[int | str]) -> Iterator[str]:
    if not example.text.strip():
        yield "blank text"
    if example.label not in labels:
        yield f"label {example.label!r} is not one of {', '.join(map(str, sorted(labels, key=str)))}"
    if not _LANGUAGE.fullmatch(example.lang):
        yield f"lang {example.lang!r} is no two-letter code"
    for member in ("family", "group"):
        if not _SLUG.fullmatch(getattr(example, member)):
            yield f"{member} {getattr(example, member)!r} is no lower-case slug"
