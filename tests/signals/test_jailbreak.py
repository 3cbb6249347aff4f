from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.types import Ask, Flag, Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Answered, Build, MakeSubject


def test_everything_from_outside_is_read(build: Build, subject: MakeSubject, answered: Answered) -> None:
    seen = subject(("system", "rules"), "one", ("assistant", "two"), ("tool", "three"))
    reader = build("jailbreak")
    assert reader.asks(seen) == (Ask("one\nthree", frozenset({"jailbreak"})),)
    said = answered("one\nthree", "jailbreak", Flag(0.95, raised=True))
    assert reader.read(seen, said) == Signal("jailbreak", "yes", 0.95, frozenset({"yes"}), 0.95)


def test_the_threshold_may_be_ones_own(build: Build, subject: MakeSubject, answered: Answered) -> None:
    said = answered("one", "jailbreak", Flag(0.5, raised=False))
    assert build("jailbreak", threshold=0.4).read(subject("one"), said).labels == {"yes"}


def test_roles_need_not_be_trusted(build: Build, subject: MakeSubject) -> None:
    seen = subject(("system", "rules"), "one", ("assistant", "two"))
    assert build("jailbreak", of="everything").asks(seen) == (Ask("rules\none\ntwo", frozenset({"jailbreak"})),)
