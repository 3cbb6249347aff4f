"""How much of a text the encoder reads, cut before anything costs time.

The tokenizer truncates only after it has tokenised everything (50 KB cost 30 ms), so characters are cut first and
tokens second. Both cuts keep the head, where a prompt says what it wants, and the tail, where a pasted document is
followed by its question; and a block between them where something there deserves a look (`cues`). The cost depends on
the budget alone, never on the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

CHARACTERS_PER_TOKEN = 8  # English needs 4 to 5; what is left over absorbs long stretches and code
BLOCK_SHARE = 0.3  # of the budget, where there is a block; head and tail get half of the rest each
_SLACK = 8  # how many budgets are scanned, so that runs of blanks at either end cannot fill the window
_WORDS = re.compile(r"\S+(?:\s\S+)*")  # a stretch without two blanks in a row
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class Run(Struct, frozen=True):
    """Characters of the clipped text that lie side by side in the original: [at, until) there, [start, end) here.

    Both are equally long, except that a pair of surrogates, two characters there, is one character here, a run's last.
    """

    at: int
    until: int
    start: int
    end: int


class Clip(Struct, frozen=True):
    """A text as the tokenizer shall see it.

    Attributes:
        text: valid Unicode: unpaired surrogates are U+FFFD.
        gap: what lies between head and tail, [start, end) in the original; None where nothing but blanks was left out.
        runs: where its characters come from, in order; None where it is the original.
    """

    text: str
    gap: tuple[int, int] | None
    runs: tuple[Run, ...] | None

    def places(self, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Turn spans [start, end) of characters of `text` into spans of the original."""
        if self.runs is None:
            return list(spans)
        starts = [run.start for run in self.runs]
        placed = []
        for start, end in spans:
            if start >= end:
                placed.append((0, 0))
                continue
            first = self.runs[bisect_right(starts, start) - 1]
            last = self.runs[bisect_right(starts, end - 1) - 1]
            # A blank that joins two runs belongs to neither: it stands for the end of the first.
            placed.append(
                (
                    min(first.at + start - first.start, first.until),
                    last.until if end >= last.end else last.at + end - last.start,
                )
            )
        return placed


def clip(text: str, max_characters: int, head_share: float, spot: int | None = None) -> Clip:
    """Cut a text to its head and tail, and a block around a spot between them, and make it valid Unicode.

    Args:
        text: any string: empty, unpaired surrogates and control characters included.
        max_characters: budget, >= 8. A blank is added wherever two parts meet.
        head_share: part of the budget given to the head, in [0, 1], where there is no block.
        spot: what the block shall show, an offset in the text; None for no block.
    """
    if len(text) <= max_characters:
        return _whole(text)
    scanned = _SLACK * max_characters // 2
    if len(text) <= 2 * scanned:
        # Two more: a word that only its blank keeps out must be seen to be left out.
        runs, taken = _forward(text, 0, len(text), max_characters + 2)
        if taken <= max_characters:
            return _joined(text, runs, None)
    head, block = _shares(max_characters, head_share, with_block=spot is not None)
    # Where the text is short enough, both scans see all of it, and what they take cannot overlap.
    front, _ = _forward(text, 0, scanned if len(text) > 2 * scanned else len(text), head)
    back, _ = _backward(
        text, len(text) - scanned if len(text) > 2 * scanned else 0, len(text), max_characters - head - block
    )
    low = front[-1][1] if front else 0
    high = back[0][0] if back else len(text)
    if spot is None:
        return _joined(text, [*front, *back], (low, high))
    start = max(low, min(spot - block // 2, high - block))
    middle, _ = _forward(text, start, min(high, start + _SLACK * block), block)
    return _joined(text, [*front, *middle, *back], (low, high))


def fit(count: int, budget: int, head_share: float, center: int | None = None) -> list[slice]:
    """Cut a number of tokens to head and tail, and a block between them.

    Args:
        count: tokens, special ones excluded.
        budget: how many may stay, >= 1.
        head_share: part of the budget given to the head, in [0, 1], where there is no block.
        center: index of the token that the block shall show; None for no block.

    Returns:
        The slices to keep, in order, `budget` tokens in all where there are more; none of them overlap.
    """
    if count <= budget:
        return [slice(0, count)]
    head, block = _shares(budget, head_share, with_block=center is not None)
    tail = budget - head - block
    parts = [slice(0, head), slice(count - tail, count)]
    if center is not None:
        start = min(max(center - block // 2, head), count - tail - block)
        parts.insert(1, slice(start, start + block))
    return parts


def _shares(budget: int, head_share: float, *, with_block: bool) -> tuple[int, int]:
    """Return the head's and the block's part of a budget; the tail gets what is left."""
    if not with_block:
        return round(budget * head_share), 0
    block = round(budget * BLOCK_SHARE)
    return (budget - block) // 2, block


def _whole(text: str) -> Clip:
    return Clip(text, None, None) if _is_well_formed(text) else _joined(text, [(0, len(text))], None)


def _forward(text: str, start: int, end: int, budget: int) -> tuple[list[tuple[int, int]], int]:
    """Take stretches of text[start:end] until `budget` characters are full, one for a blank between two included."""
    stretches: list[tuple[int, int]] = []
    taken = 0
    for stretch in _WORDS.finditer(text, start, end):
        left = budget - taken - bool(stretches)
        if left <= 0:
            break
        at = stretch.start()
        until = min(stretch.end(), at + left)
        taken += until - at + bool(stretches)
        stretches.append((at, until))
    return stretches, taken


def _backward(text: str, start: int, end: int, budget: int) -> tuple[list[tuple[int, int]], int]:
    """Take stretches as `_forward` does, from the end."""
    mirrored, taken = _forward(text[start:end][::-1], 0, end - start, budget)
    return [(end - until, end - at) for at, until in reversed(mirrored)], taken


def _joined(text: str, places: Sequence[tuple[int, int]], gap: tuple[int, int] | None) -> Clip:
    pieces: list[str] = []
    runs: list[Run] = []
    length = 0
    for at, until in places:
        if pieces:
            pieces.append(" ")
            length += 1
        for start, end in _split_at_pairs(text, at, until):
            piece = _well_formed(text[start:end])
            pieces.append(piece)
            runs.append(Run(start, end, length, length + len(piece)))
            length += len(piece)
    return Clip("".join(pieces), gap, tuple(runs))


def _split_at_pairs(text: str, at: int, until: int) -> list[tuple[int, int]]:
    """Split behind each pair of surrogates that arrived as two characters."""
    if _is_well_formed(text[at:until]):
        return [(at, until)]
    ends = [match.end() for match in _PAIR.finditer(text, at, until)]
    borders = [at, *ends, *([until] if not ends or ends[-1] < until else [])]
    return list(pairwise(borders))


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _well_formed(text: str) -> str:
    # UTF-16 joins a pair that arrived as two code points and replaces only what is really unpaired.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
