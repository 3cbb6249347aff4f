from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.signals.base import Answers
from extproc_router.types import Ask, Flag, Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Answered, Build, MakeSubject


def asks(*texts: str) -> tuple[Ask, ...]:
    return tuple(Ask(text, frozenset({"jailbreak"})) for text in texts)


def test_everything_from_outside_is_read(build: Build, subject: MakeSubject, answered: Answered) -> None:
    seen = subject(("system", "rules"), "one", ("assistant", "two"), ("tool", "three"))
    reader = build("jailbreak")
    assert reader.asks(seen) == asks("one", "three")
    calm = answered("one", "jailbreak", Flag(0.25, raised=False))
    attack = answered("three", "jailbreak", Flag(0.95, raised=True))
    said = Answers({**calm.encodings, **attack.encodings})
    assert reader.read(seen, said) == Signal("jailbreak", "yes", 0.95, frozenset({"yes"}), 0.95)


@pytest.mark.parametrize(
    ("turns", "texts"),
    [
        ([], []),
        (["one", " "], ["one"]),
        (["one", "two", "three"], ["one", "two", "three"]),
        (["one", "two", " three\n", "four", "five"], ["one\ntwo", "three", "four", "five"]),
        (["o\u200bn\u00ade", "\ufeff"], ["one"]),
        (["one", "two", "one", "one", "one"], ["one\ntwo", "one"]),
    ],
)
def test_the_last_turns_are_read_one_by_one(
    build: Build, subject: MakeSubject, turns: list[str], texts: list[str]
) -> None:
    for of in ("incoming", "everything"):
        assert build("jailbreak", of=of).asks(subject(*turns)) == asks(*texts)


def test_what_stands_in_no_turn_is_read_by_itself(build: Build, subject: MakeSubject) -> None:
    seen = subject("one", "two", "three", "four", declared=b'{"description": "of a tool"}')
    assert build("jailbreak", of="everything").asks(seen) == asks("of a tool", "one", "two", "three", "four")
    assert build("jailbreak").asks(seen) == asks("one", "two", "three", "four")  # it gives orders, and means no harm


def test_the_threshold_may_be_ones_own(build: Build, subject: MakeSubject, answered: Answered) -> None:
    said = answered("one", "jailbreak", Flag(0.5, raised=False))
    assert build("jailbreak", threshold=0.4).read(subject("one"), said).labels == {"yes"}


def test_roles_need_not_be_trusted(build: Build, subject: MakeSubject) -> None:
    seen = subject(("system", "rules"), "one", ("assistant", "two"))
    assert build("jailbreak", of="everything").asks(seen) == asks("rules", "one", "two")
