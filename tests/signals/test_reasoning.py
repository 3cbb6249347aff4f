from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.types import Ask, Flag, Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Answered, Build, MakeSubject

ASKED = "Prove that there are infinitely many primes."


def test_the_prompt_is_read(build: Build, subject: MakeSubject, answered: Answered) -> None:
    seen = subject("old", ("assistant", "answer"), ASKED)
    reader = build("reasoning")
    assert reader.asks(seen) == (Ask(ASKED, frozenset({"reasoning"})),)
    assert reader.read(seen, answered(ASKED, "reasoning", Flag(0.75, raised=False))) == Signal(
        "reasoning", "no", 0.25, number=0.75
    )


def test_the_threshold_may_be_ones_own(build: Build, subject: MakeSubject, answered: Answered) -> None:
    said = answered(ASKED, "reasoning", Flag(0.75, raised=True))
    assert build("reasoning", threshold=0.8).read(subject(ASKED), said).labels == set()
