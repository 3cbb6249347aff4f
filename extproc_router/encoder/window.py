"""How much of a text the encoder reads: its head and its tail, cut before anything costs time.

The tokenizer truncates only after it has tokenised everything (50 KB cost 30 ms), so characters are cut first and
tokens second. Both cuts keep the head, where a prompt says what it wants, and the tail, where a pasted document is
followed by its question. The cost depends on the budget alone, never on the length of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CHARACTERS_PER_TOKEN = 8  # English needs 4 to 5; what is left over absorbs long words and code
_SLACK = 8  # how many budgets are scanned, so that runs of blanks at either end cannot fill the window


def clip(text: str, max_characters: int, head_share: float) -> tuple[str, bool]:
    """Cut a text to its head and tail and make it valid Unicode.

    Args:
        text: any string: empty, unpaired surrogates and control characters included.
        max_characters: budget, >= 2. One blank may be added where head and tail meet.
        head_share: part of the budget given to the head, in [0, 1].

    Returns:
        The text to tokenise, and whether anything but blanks was left out. Unpaired surrogates become U+FFFD.
    """
    if len(text) <= max_characters:
        return _well_formed(text), False
    scanned = _SLACK * max_characters
    if len(text) <= scanned:
        front = back = _squeeze(text)
        if len(front) <= max_characters:
            return _well_formed(front), False
    else:
        front = _squeeze(text[: scanned // 2])
        back = _squeeze(text[-(scanned // 2) :])
    head = round(max_characters * head_share)
    tail = max_characters - head
    return _well_formed(f"{front[:head]} {back[max(0, len(back) - tail) :]}"), True


def fit(tokens: Sequence[int], max_tokens: int, head_share: float) -> tuple[list[int], bool]:
    """Cut token ids to their head and tail.

    Args:
        tokens: ids without special tokens.
        max_tokens: budget, >= 1.
        head_share: part of the budget given to the head, in [0, 1].

    Returns:
        At most `max_tokens` ids, and whether any was left out.
    """
    if len(tokens) <= max_tokens:
        return list(tokens), False
    head = round(max_tokens * head_share)
    return [*tokens[:head], *tokens[len(tokens) - (max_tokens - head) :]], True


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _well_formed(text: str) -> str:
    # UTF-16 joins a pair that arrived as two code points and replaces only what is really unpaired.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
