"""How right found spans are: a span counts where its start, its end and its type are all right, else not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from extproc_router.learning.base import Floats

Key: TypeAlias = tuple[int, int, str]
"""Start and end, character offsets [start, end), and type."""

RIGHT, FOUND, TRUE = range(3)


def tally(truth: Iterable[Key], found: Iterable[Key], kind: str | None = None) -> tuple[int, int, int]:
    """Count one text's spans: (right, found, true); of one type where `kind` is given. A span given twice is one."""
    wanted = {span for span in truth if kind in (None, span[2])}
    given = {span for span in found if kind in (None, span[2])}
    return len(wanted & given), len(given), len(wanted)


def blind(spans: Iterable[Key]) -> set[Key]:
    """Leave out the types: what is then right is right about the place alone."""
    return {(start, end, "") for start, end, _ in spans}


def kinds(texts: Iterable[Collection[Key]]) -> list[str]:
    """Every type that occurs, sorted."""
    return sorted({span[2] for spans in texts for span in spans})


def scores(counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1, in [0, 1].

    Args:
        counts: float64 [..., 3]: sums of right, found and true over texts (micro average).

    Returns:
        Each float64 [...]; NaN where it divides by nothing.
    """
    right, found, true = counts[..., RIGHT], counts[..., FOUND], counts[..., TRUE]
    with np.errstate(invalid="ignore"):
        return right / found, right / true, 2 * right / (found + true)


def f1(truth: Sequence[Iterable[Key]], found: Sequence[Iterable[Key]]) -> float:
    """Micro F1 over texts; NaN where there is no span at all."""
    counts = np.array([tally(*pair) for pair in zip(truth, found, strict=True)], dtype=np.float64)
    return float(scores(counts.reshape(-1, 3).sum(axis=0))[2])
