"""Which rows the heads are fitted to and judged by: fewer than the trunk has seen, some a second time with noise."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from extproc_router.training import augment, compose
from extproc_router.training.data import Split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from extproc_router.training.rows import Row

NOISY: Final = "+noise"  # ends the source of a noisy copy

# At most so many training rows of a source; of one that is not named, all.
_TRAIN: Final[Mapping[str, int]] = {
    "exam": 6000,
    "topic": 1500,
    "programming": 300,
    "trivia": 1500,
    "clinc150": 2000,
    "banking77": 600,
    "gsm8k": 800,
    "presidio": 500,
    "own/pii": 500,
}
_HELD_OUT: Final[Mapping[str, int]] = {
    "trivia": 300,
    "clinc150": 500,
    "banking77": 300,
    "presidio": 300,
    "own/pii": 300,
}
_NOISY_SOURCES: Final = frozenset(
    {"natural", "own/domain_multilingual", "own/reasoning", "own/jailbreak", "own/lookalikes"}
)
_COMPOSED: Final = {Split.TRAIN: 700, Split.VALIDATION: 200}
_WITHOUT: Final = 400  # utterances without personal data, of each source and split


def select(rows: Sequence[Row], seed: int) -> list[Row]:
    """Sample, add noisy copies and composed texts.

    Args:
        rows: everything.
        seed: of every choice.

    Returns:
        Rows of all splits. Noisy copies keep their split and have `NOISY` at the end of their source; excerpts of long
        attacks and composed texts are made from rows of the same split.
    """
    chooser = Random(seed)  # noqa: S311  a sample, not a secret
    shuffled = list(rows)
    chooser.shuffle(shuffled)
    counts: Counter[tuple[str, Split]] = Counter()
    kept = []
    for row in shuffled:
        limits = _TRAIN if row.split is Split.TRAIN else _HELD_OUT
        counts[row.source, row.split] += 1
        if counts[row.source, row.split] <= limits.get(row.source, len(rows)):
            kept.append(row)
    copies = [_noisy(row, chooser) for row in kept if row.source in _NOISY_SOURCES]
    excerpts = [
        replace(row, text=compose.excerpt(row.text, chooser), source=f"{row.source}+excerpt")
        for row in kept
        if row.jailbreak == 1.0 and len(row.text) > compose.LONG
    ]
    composed = [row for split, count in _COMPOSED.items() for row in compose.compose(rows, count, split, chooser)]
    return [*kept, *copies, *excerpts, *composed]


def tagged(rows: Sequence[Row], seed: int) -> list[Row]:
    """Rows whose spans are known, of all splits: every text made for it, and some without personal data."""
    shuffled = [row for row in rows if row.spans is not None]
    Random(seed).shuffle(shuffled)  # noqa: S311  a sample, not a secret
    counts: Counter[tuple[str, Split]] = Counter()
    kept = []
    for row in shuffled:
        counts[row.source, row.split] += 1
        if row.group or counts[row.source, row.split] <= _WITHOUT:
            kept.append(row)
    return kept


def _noisy(row: Row, chooser: Random) -> Row:
    text = row.text
    while text == row.text:
        text = augment.noise(row.text, chooser)
    return replace(row, text=text, source=row.source + NOISY, spans=None)
