"""Judged answers in columns: what the verifier saw of a weak model's answer, and how good it and the strong one's were.

A line is `{"features": {name: number}, "weak": score, "strong": score, "cost_weak": c, "cost_strong": c}`; scores are
in [0, 1], costs are optional. So is `signs`: hard ones mean that the answer is escalated whatever its numbers say. The
decision log's lines of kind `cascade` have features and signs, and want the two scores; other members are not read.
Rows with the same `prompt` stay on one side of every split; without one, each row stands for itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import msgspec
import numpy as np
from msgspec import Struct, field

from extproc_router.bulk.jsonl import Faults, read_lines
from extproc_router.bulk.progress import Progress
from extproc_router.config.verifier_schema import SignName
from extproc_router.errors import StartupError
from extproc_router.evaluation.arrays import Flags, Floats, Index
from extproc_router.evaluation.rows import MOST
from extproc_router.verifier.head import INDICATORS, MEANS, terms_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COLUMNS = (*MEANS, *INDICATORS)
"""What each column of `Judged.terms` is multiplied by: the weights but the intercept."""
_HARD = frozenset(get_args(SignName))


class Judged(Struct, frozen=True):
    """n answers of a weak model.

    Attributes:
        terms: float64 [n, len(COLUMNS)], see `verifier.head.terms_of`.
        hard: bool [n], whether a hard sign speaks against the answer.
        weak: float64 [n], in [0, 1], how good it is.
        strong: float64 [n], how good the strong model's is.
        costs: float64 [n, 2], of asking weak and of asking strong; None where some are unknown.
        groups: intp [n]; rows of one group hold the same prompt.
    """

    terms: Floats
    hard: Flags
    weak: Floats
    strong: Floats
    costs: Floats | None
    groups: Index

    def __len__(self) -> int:
        return len(self.weak)


class _Row(Struct, frozen=True):
    weak: float | bool
    strong: float | bool
    features: dict[str, float]
    signs: list[str] = field(default_factory=list)
    cost_weak: float | None = None
    cost_strong: float | None = None
    prompt: str | None = None


def matrix(features: Sequence[Mapping[str, float]]) -> Floats:
    """Return the terms of many answers' features, float64 [n, len(COLUMNS)]."""
    rows = [[terms[name] for name in COLUMNS] for terms in map(terms_of, features)]
    return np.array(rows, dtype=np.float64).reshape(-1, len(COLUMNS))


def read(path: Path, *, strict: bool = False) -> tuple[Judged, Faults]:
    """Read a file of judged answers.

    Args:
        path: JSON Lines, plain or gzipped.
        strict: whether a bad row is an error instead of being left out.

    Returns:
        The answers, and the rows that were left out.

    Raises:
        StartupError: the file cannot be read, a row is bad in strict mode, or no row is left.
    """
    decoder, faults = msgspec.json.Decoder(_Row), Faults(str(path), strict=strict)
    rows: list[_Row] = []
    features: list[Mapping[str, float]] = []
    with Progress("reading", None) as progress:
        for number, line in progress.over(read_lines(path)):
            try:
                row = decoder.decode(line)
                features.append(_features(row))
                rows.append(row)
            except (UnicodeDecodeError, RecursionError, ValueError) as error:
                faults.add(number, str(error))
    if not rows:
        raise StartupError(f"{path}: no usable row\n{faults}".rstrip())
    return _columns(rows, features), faults


def _features(row: _Row) -> dict[str, float]:
    unknown = sorted(set(row.features) - set(MEANS))
    if unknown:
        raise ValueError(f"unknown feature {unknown[0]!r}: one of {', '.join(MEANS)}")
    if not all(0 <= score <= 1 for score in (row.weak, row.strong)):
        raise ValueError("`weak` and `strong` must be in [0, 1]")
    costs = [cost for cost in (row.cost_weak, row.cost_strong) if cost is not None]
    if not all(0 <= cost <= MOST for cost in costs) or not all(abs(value) <= MOST for value in row.features.values()):
        raise ValueError(f"a cost is below 0, or a number is beyond {MOST:g}")
    return row.features


def _columns(rows: list[_Row], features: list[Mapping[str, float]]) -> Judged:
    nothing = math.nan
    costs = np.array(
        [[nothing if cost is None else cost for cost in (row.cost_weak, row.cost_strong)] for row in rows],
        dtype=np.float64,
    )
    numbers: dict[str, int] = {}
    prompts = [str(place) if row.prompt is None else f"={row.prompt}" for place, row in enumerate(rows)]
    groups = [numbers.setdefault(prompt, len(numbers)) for prompt in prompts]
    return Judged(
        terms=matrix(features),
        hard=np.array([not _HARD.isdisjoint(row.signs) for row in rows]),
        weak=np.array([row.weak for row in rows], dtype=np.float64),
        strong=np.array([row.strong for row in rows], dtype=np.float64),
        costs=costs if np.isfinite(costs).all() else None,
        groups=np.array(groups, dtype=np.intp),
    )
