"""Doubts that an answer states itself: a small list, since a model that hedges everything says nothing by it."""

from __future__ import annotations

from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

_HEDGES: Final = (
    "i'm not sure", "i am not sure", "i'm not certain", "i am not certain", "not entirely sure", "i'm unsure",
    "i don't know", "i do not know", "i'm not aware", "i am not aware", "i couldn't find", "i could not find",
    "it is unclear", "it's unclear", "it is not clear", "it's not clear", "hard to say", "difficult to say",
    "i believe", "i think", "i guess", "i assume", "my best guess", "might be", "may be wrong", "could be wrong",
    "i might be", "i may be", "possibly", "perhaps", "presumably", "if i recall", "as far as i know",
    "not familiar with",
    "cannot be determined", "can't be determined", "cannot determine", "not enough information",
    "insufficient information", "on second thought",
    "ich bin mir nicht sicher", "ich bin nicht sicher", "ich weiß nicht", "ich weiss nicht", "es ist unklar",
    "vermutlich", "möglicherweise", "vielleicht",
    "je ne suis pas sûr", "je ne suis pas certain", "je ne sais pas", "il n'est pas clair", "peut-être",
    "no estoy seguro", "no lo sé", "no sé", "no está claro", "quizás", "tal vez",
    "não tenho certeza", "não sei", "talvez", "non sono sicuro", "non lo so", "forse",
    "ik weet het niet", "ik ben niet zeker", "misschien",
    "я не уверен", "я не знаю", "возможно,",
)  # fmt: skip
# Nothing stands between the words of these scripts.
_UNSPACED: Final = ("不确定", "不知道", "不清楚", "也许", "可能是", "分かりません", "わかりません", "かもしれません")
_FOUND: Final = AhoCorasick([*_HEDGES, *_UNSPACED], matchkind=MatchKind.LeftmostLongest)
_SPACED: Final = len(_HEDGES)


def count(text: str) -> int:
    """Count stated doubts; those of which one is part of another count once."""
    lower = text.lower().replace("\u2019", "'")
    found = 0
    for number, start, end in _FOUND.find_matches_as_indexes(lower):
        if number >= _SPACED or not (lower[start - 1 : start].isalnum() or lower[end : end + 1].isalnum()):
            found += 1
    return found
