"""Noise, because users do not write exam questions: typos, case, lost punctuation, a chat's wrapping."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR: Final = {
    letter: [row[i] for i in (place - 1, place + 1) if 0 <= i < len(row)]
    for row in _KEYS
    for place, letter in enumerate(row)
}
_GREETINGS: Final = (
    "hi, ",
    "hey ",
    "Hello! ",
    "Hi there, quick question: ",
    "pls help: ",
    "Can you help me with this? ",
    "I have a question. ",
    "ok so ",
    "So I was wondering, ",
    "for my homework: ",
    "asking for a friend, ",
    "Dear assistant, ",
    "q: ",
    "need help with this one\n\n",
    "Please answer:\n",
    "Good morning. ",
)
_CLOSINGS: Final = (
    " thanks!",
    " thx",
    "\n\nThanks in advance.",
    " pls",
    " please explain",
    " (short answer please)",
    "\nThank you very much!",
    " ??",
    " any idea?",
    "\n\nBest,\nSam",
)
_MARKS: Final = re.compile(r"[.,;:!?'\"`]+")
_TYPOS_A_WORD = 0.12


def typos(text: str, chooser: Random) -> str:
    """Swap, drop, double or mistype letters, in about one word of eight."""
    letters = list(text)
    for _ in range(max(1, round(len(text.split()) * _TYPOS_A_WORD * (0.5 + chooser.random())))):
        place = chooser.randrange(len(letters)) if letters else 0
        if place >= len(letters) or not letters[place].isalpha():
            continue
        letter = letters[place]
        match chooser.randrange(4):
            case 0 if place + 1 < len(letters) and letters[place + 1].isalpha():
                letters[place], letters[place + 1] = letters[place + 1], letter
            case 1:
                letters[place] = ""
            case 2:
                letters[place] = letter * 2
            case _:
                near = _NEAR.get(letter.lower())
                letters[place] = chooser.choice(near) if near else letter
    return "".join(letters)


def lower(text: str, chooser: Random) -> str:
    """Lower case, often without punctuation."""
    lowered = text.lower()
    return _MARKS.sub("", lowered) if chooser.random() < 0.6 else lowered  # noqa: PLR2004


def shout(text: str, _: Random) -> str:
    """Upper case."""
    return text.upper()


def unmarked(text: str, _: Random) -> str:
    """No punctuation."""
    return _MARKS.sub("", text)


def chat(text: str, chooser: Random) -> str:
    """A greeting before, thanks behind, or both."""
    before = chooser.choice(_GREETINGS) if chooser.random() < 0.7 else ""  # noqa: PLR2004
    behind = chooser.choice(_CLOSINGS) if not before or chooser.random() < 0.4 else ""  # noqa: PLR2004
    return f"{before}{text}{behind}"


_NOISES: Final[tuple[tuple[float, Callable[[str, Random], str]], ...]] = (
    (0.3, chat),
    (0.35, typos),
    (0.35, lower),
    (0.1, unmarked),
    (0.03, shout),
)


def noise(text: str, chooser: Random) -> str:
    """Apply each kind of noise with its own probability; never makes a text blank."""
    noisy = text
    for probability, change in _NOISES:
        if chooser.random() < probability:
            noisy = change(noisy, chooser)
    return noisy if noisy.strip() else text
