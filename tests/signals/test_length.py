from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.signals import tokens
from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject

ASKED = "What does the second clause of this contract say?"


def test_the_prompt_alone_is_counted(build: Build, subject: MakeSubject) -> None:
    number = tokens.estimate(ASKED)
    turns = ("system", "You are a lawyer. " * 99), ("user", "old"), ("assistant", "answer " * 99), ("user", ASKED)
    assert build("length").read(subject(*turns), NO_ANSWERS) == Signal("length", str(number), 1.0, number=number)


def test_no_text_is_no_tokens(build: Build, subject: MakeSubject) -> None:
    assert build("length").read(subject(), NO_ANSWERS) == Signal("length", "0", 1.0, number=0.0)
