"""Refusals: marked by the API, or told by an answer's first words.

The words are looked for near the beginning alone, and each needs a verb of what assistants decline to do: "I'm sorry to
hear that" and a letter's "I cannot attend" are answers. What is quoted is not said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from extproc_router.verifier.signs.refusal_patterns import PATTERNS

if TYPE_CHECKING:
    from extproc_router.attempts import Heard, Verification

_WINDOW: Final = 240  # characters of the answer that are looked at
_BEGINNING: Final = 80  # where what the config adds must begin
_MARKED: Final = frozenset({"refusal", "content_filter"})
_REFUSES: Final = re.compile(rf"(?<![\w'])(?:{'|'.join(PATTERNS)})")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»")
_LETTERS: Final = str.maketrans({"\u2019": "'", "\u02bc": "'", "*": None, "_": None, "#": None})


class Refusal:
    """Tells refusals.

    Args:
        phrases: further beginnings.
    """

    def __init__(self, phrases: tuple[str, ...]) -> None:
        self._phrases = tuple(filter(None, map(_plain, phrases)))

    def __call__(self, heard: Heard, _asked: Verification, _early: bool) -> bool:  # noqa: FBT001 - as every sign
        """Whether the answer is a refusal; a tool call is none, whatever is said before it."""
        if heard.refusal.strip() or heard.finish in _MARKED:
            return True
        if heard.calls:
            return False
        text = _plain(_QUOTED.sub("", heard.text[: 2 * _WINDOW]))
        return bool(_REFUSES.search(text)) or any(
            text.find(phrase, 0, _BEGINNING + len(phrase)) >= 0 for phrase in self._phrases
        )


def _plain(text: str) -> str:
    """Return a text's beginning in lower case, without marks of emphasis, and with single blanks."""
    return " ".join(text.lower().translate(_LETTERS).split())[:_WINDOW]
