"""Prompts of which it is known whether a weak and a strong model answer them well, held out from training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.errors import StartupError
from extproc_router.evaluation import outcomes
from extproc_router.training.data import Split, split_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

GOOD_FROM = 0.5
"""Scores of at least this are good answers."""
FEWEST = 50
_OPTIONS = "\nA. "  # where the options of a multiple-choice question begin


class Prompt(Struct, frozen=True):
    """A prompt, and whether each model answers it well."""

    text: str
    weak: bool
    strong: bool


class Halves(Struct, frozen=True):
    """Prompts that thresholds are picked on, and prompts that they are measured on; no question is in both."""

    picking: tuple[Prompt, ...]
    measuring: tuple[Prompt, ...]


def read(path: Path, *, weak: str, strong: str, rows: int) -> Halves:
    """Read outcomes; see `evaluation.rows` for their shapes.

    The shipped encoder's training had three parts, split by question: one taught it, one chose its settings, one did
    nothing. Thresholds are picked on the second one, and measured on the third.

    Args:
        path: JSON Lines, plain or gzipped.
        weak: name of the cheaper model in it.
        strong: of the dearer one.
        rows: at most so many prompts of each part, the first ones.

    Raises:
        StartupError: the file cannot be read, lacks a model, or has too few rows in a part.
    """
    found, _ = outcomes.read(path, keep_texts=True)
    pair = outcomes.pair(found, weak=weak, strong=strong)
    parts: dict[Split, dict[str, Prompt]] = {split: {} for split in Split}
    for text, *scores in zip(pair.outcomes.texts or (), pair.weak, pair.strong, strict=True):
        part = parts[split_of(text.partition(_OPTIONS)[0])]
        part.setdefault(text, Prompt(text, *(bool(score >= GOOD_FROM) for score in scores)))
    picking, measuring = (tuple(parts[split].values())[:rows] for split in (Split.VALIDATION, Split.TEST))
    if min(len(picking), len(measuring)) < FEWEST:
        raise StartupError(
            f"{path}: {len(picking)} and {len(measuring)} prompts are held out from training; {FEWEST} is the least"
        )
    return Halves(picking, measuring)


def save(prompts: Iterable[tuple[str, bool]], path: Path) -> Path:
    """Write outcomes of one model as `extproc-router simulate --outcomes` reads them; returns the path."""
    lines = (json.dumps({"prompt": text, "good": good}) + "\n" for text, good in prompts)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def share(good: Sequence[bool]) -> float:
    """Return the share of good answers, of at least one."""
    return sum(good) / len(good)
