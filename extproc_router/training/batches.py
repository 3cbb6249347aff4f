"""Rows to padded tensors: what is shown in an epoch, in which order, with which noise, as which numbers."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch
from msgspec import Struct

from extproc_router.encoder import shapes
from extproc_router.training import augment, compose
from extproc_router.training.data import Split
from extproc_router.training.rows import DIFFICULTY, DOMAIN, JAILBREAK, LABELS, REASONING, TAGS, TOPIC, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from extproc_router.encoder.tokenizer import Tokenizer

UNKNOWN: Final = -100
_POOL: Final = 64  # batches that are sorted by length together


class Vocabulary(Struct, frozen=True):
    """What the outputs of the tasks mean: topics and models, sorted."""

    topics: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """Task -> rows of its head."""
        return {
            DOMAIN: len(LABELS),
            TOPIC: len(self.topics),
            REASONING: 1,
            JAILBREAK: 1,
            DIFFICULTY: len(self.models),
        }


def vocabulary(rows: Sequence[Row]) -> Vocabulary:
    """Every topic and model that occurs."""
    return Vocabulary(
        topics=tuple(sorted({row.topic for row in rows if row.topic is not None})),
        models=tuple(sorted({model for row in rows for model in row.outcomes or ()})),
    )


class Batch(Struct, frozen=True):
    """n texts, padded to the longest.

    Attributes:
        ids: int64 [n, tokens].
        mask: bool [n, tokens].
        shapes: float32 [n, tokens, shapes].
        domain: int64 [n], `UNKNOWN` where it is.
        topic: int64 [n], the same.
        reasoning: float32 [n], NaN where unknown.
        jailbreak: float32 [n], the same.
        outcomes: float32 [n, models], NaN where not tried.
        tags: int64 [n, tokens], `UNKNOWN` on special tokens, padding and texts without known spans.
        clean: the texts as they were before noise; empty for composed ones.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    shapes: torch.Tensor
    domain: torch.Tensor
    topic: torch.Tensor
    reasoning: torch.Tensor
    jailbreak: torch.Tensor
    outcomes: torch.Tensor
    tags: torch.Tensor
    clean: tuple[str, ...]


class Item(Struct, frozen=True):
    """One row as the trunk sees it: ids int [tokens], shapes [tokens, shapes], tags int [tokens]."""

    row: Row
    clean: str
    ids: list[int]
    shapes: npt.NDArray[np.float32]
    tags: npt.NDArray[np.int64]


def item(row: Row, text: str, tokenizer: Tokenizer) -> Item:
    """Tokenise `text`, which is the row's own or a noisy copy of it."""
    tokens = tokenizer(text)
    tags = np.full(len(tokens.ids), UNKNOWN, np.int64)
    if row.spans is not None:
        tags[1:-1] = 0
        for span in row.spans:
            inside = [
                place
                for place, (start, end) in enumerate(tokens.offsets)
                if start < span.end and end > span.start and end > start
            ]
            for number, place in enumerate(inside):
                tags[place] = TAGS.index(f"{'I' if number else 'B'}-{span.type}")
    return Item(
        row=row,
        clean="" if row.source == "composed" else row.text,
        ids=list(tokens.ids),
        shapes=shapes.read(text, tokens.offsets, tokenizer.continues(tokens.ids)),
        tags=tags,
    )


def collate(items: Sequence[Item], words: Vocabulary) -> Batch:
    """Pad items to a batch."""
    rows, width = len(items), max(len(one.ids) for one in items)
    ids = np.zeros((rows, width), np.int64)
    mask = np.zeros((rows, width), np.bool_)
    spelled = np.zeros((rows, width, items[0].shapes.shape[1]), np.float32)
    tags = np.full((rows, width), UNKNOWN, np.int64)
    outcomes = np.full((rows, len(words.models)), np.nan, np.float32)
    for number, one in enumerate(items):
        length = len(one.ids)
        ids[number, :length], mask[number, :length] = one.ids, True
        spelled[number, :length], tags[number, :length] = one.shapes, one.tags
        for model, score in (one.row.outcomes or {}).items():
            outcomes[number, words.models.index(model)] = score
    return Batch(
        ids=torch.from_numpy(ids),
        mask=torch.from_numpy(mask),
        shapes=torch.from_numpy(spelled),
        domain=_index([one.row.domain for one in items], LABELS),
        topic=_index([one.row.topic for one in items], words.topics),
        reasoning=_float([one.row.reasoning for one in items]),
        jailbreak=_float([one.row.jailbreak for one in items]),
        outcomes=torch.from_numpy(outcomes),
        tags=torch.from_numpy(tags),
        clean=tuple(one.clean for one in items),
    )


def epoch(rows: Sequence[Row], number: int, *, seed: int, noisy: float, composed: int) -> list[tuple[Row, str]]:
    """What is shown in one epoch, shuffled: (row, its text as shown).

    Args:
        rows: of all splits; only training rows are shown.
        number: of the epoch.
        seed: with `number`, of every choice.
        noisy: share of the rows that may be noisy that are.
        composed: how many attacks and how many harmless texts are put together.
    """
    chooser = Random(f"{seed} {number}")  # noqa: S311  a sample, not a secret
    training = [row for row in rows if row.split is Split.TRAIN and row.often > 0]
    shown = [row for row in training for _ in range(math.floor(row.often + chooser.random()))]
    shown += compose.compose(training, composed, Split.TRAIN, chooser)
    chooser.shuffle(shown)
    return [(row, _as_shown(row, chooser, noisy)) for row in shown]


def batches(
    shown: Sequence[tuple[Row, str]], tokenizer: Tokenizer, words: Vocabulary, *, tokens: int, seed: int
) -> Iterator[Callable[[], Batch]]:
    """Cut an epoch into batches of about equal cost.

    Args:
        shown: rows and texts.
        tokenizer: windows them.
        words: the outputs.
        tokens: bound on rows times the longest row.
        seed: of the order of the batches.

    Yields:
        What makes the batch: a resumed run skips batches without tokenising them. Texts are grouped by their length in
        characters, so that little is padding.
    """
    chooser = Random(seed)  # noqa: S311  a sample, not a secret
    step = _POOL * max(1, tokens // 48)
    for start in range(0, len(shown), step):
        part = sorted(shown[start : start + step], key=lambda pair: len(pair[1]))
        groups = list(_cut(part, tokens))
        chooser.shuffle(groups)
        for group in groups:
            yield lambda group=group: collate([item(row, text, tokenizer) for row, text in group], words)  # type: ignore[misc]


def _cut(part: Sequence[tuple[Row, str]], tokens: int) -> Iterator[list[tuple[Row, str]]]:
    group: list[tuple[Row, str]] = []
    for pair in part:
        # Three and a half characters a token, and never more than the window.
        longest = min(128, 3 + len(pair[1]) * 2 // 7)
        if group and (len(group) + 1) * longest > tokens:
            yield group
            group = []
        group.append(pair)
    if group:
        yield group


def _as_shown(row: Row, chooser: Random, noisy: float) -> str:
    text = row.text
    if row.jailbreak == 1.0 and len(text) > compose.LONG and chooser.random() < 0.6:  # noqa: PLR2004
        text = compose.excerpt(text, chooser)
    if not row.noisy:
        # Offsets must stay: only the case may change, and only where it changes no length.
        lowered = text.lower()
        return lowered if len(lowered) == len(text) and chooser.random() < 0.15 else text  # noqa: PLR2004
    return augment.noise(text, chooser) if row.spans is None and chooser.random() < noisy else text


def _index(labels: Sequence[str | None], known: Sequence[str]) -> torch.Tensor:
    return torch.tensor([UNKNOWN if label is None else known.index(label) for label in labels])


def _float(values: Sequence[float | None]) -> torch.Tensor:
    return torch.tensor([math.nan if value is None else value for value in values], dtype=torch.float32)
