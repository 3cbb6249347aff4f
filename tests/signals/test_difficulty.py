from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Ask, Flag, Pair, Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Answered, Build, MakeSubject

UNKNOWN = Signal("difficulty", "unknown", 0.0)


def test_the_number_is_the_strong_models_win_rate(build: Build, subject: MakeSubject, answered: Answered) -> None:
    reader = build("difficulty")
    assert reader.asks(subject("hello")) == (Ask("hello", frozenset({"difficulty"})),)
    said = answered("hello", "difficulty", Pair(0.9, 0.4, 0.75))
    assert reader.read(subject("hello"), said) == Signal("difficulty", "0.75", 1.0, number=0.75)


def test_nothing_to_read_is_neither_easy_nor_hard(build: Build, subject: MakeSubject, answered: Answered) -> None:
    assert build("difficulty").read(subject(), NO_ANSWERS) == UNKNOWN
    said = answered("...", "difficulty", Pair(0.5, 0.5, 0.5), abstained=True)
    assert build("difficulty").read(subject("..."), said) == UNKNOWN


def test_a_head_that_means_something_else_is_not_believed(
    build: Build, subject: MakeSubject, answered: Answered
) -> None:
    with pytest.raises(TypeError, match="no pair"):
        build("difficulty").read(subject("hello"), answered("hello", "difficulty", Flag(0.5, raised=False)))
