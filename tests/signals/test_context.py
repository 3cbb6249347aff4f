from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.signals import context, tokens
from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject


def test_every_turn_counts_and_what_stands_between_them(build: Build, subject: MakeSubject) -> None:
    seen = subject(("system", "You are a lawyer."), "Hello.", ("assistant", "Good morning."), ("user", ""))
    number = tokens.estimate("You are a lawyer.\nHello.\nGood morning.") + 16
    assert context.size(seen) == number
    assert build("context").read(seen, NO_ANSWERS) == Signal("context", str(number), 1.0, number=number)


def test_no_turns_are_no_tokens(subject: MakeSubject) -> None:
    assert context.size(subject()) == 0
