from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import category

import pytest

from extproc_router.signals import texts

if TYPE_CHECKING:
    from extproc_router.signals.texts import Of
    from tests.signals.conftest import MakeSubject

LONG = "And what does the second of these clauses say?"


@pytest.mark.parametrize(
    ("of", "text"),
    [
        ("prompt", LONG),
        ("incoming", f"first\nfound\n{LONG}"),
        ("everything", f"rules\nfirst\nanswer\nfound\n{LONG}"),
    ],
)
def test_each_name_is_a_text(subject: MakeSubject, of: Of, text: str) -> None:
    turns = [("system", "rules"), ("user", "first"), ("assistant", "answer"), ("tool", "found"), ("user", LONG)]
    assert texts.text_of(subject(*turns), of) == text


def test_every_format_character_is_one_that_is_not_shown() -> None:
    unseen = re.compile(f"[{texts.UNSEEN}]")
    missed = [f"{code:x}" for code in range(0x110000) if category(chr(code)) == "Cf" and not unseen.match(chr(code))]
    assert missed == []
    others = {chr(code) for code in range(0xE0000) if unseen.match(chr(code))}
    assert {sign for sign in others if category(sign)[0] in "LNPSZ"} == set("\u115f\u1160\u3164\uffa0")  # fillers


@pytest.mark.parametrize(
    ("text", "spellings"),
    [("", ("",)), ("plain", ("plain",)), ("é", ("é",)), ("a\u200b\u00adb", ("ab", "a b")), ("\ufeff", ("", " "))],
)
def test_a_text_may_be_read_in_two_ways(text: str, spellings: tuple[str, ...]) -> None:
    assert texts.spellings(text) == spellings


def test_half_a_surrogate_pair_is_bytes_too() -> None:
    assert texts.utf8("a\ud800ü") == "a?ü".encode()
