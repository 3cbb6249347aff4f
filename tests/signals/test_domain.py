from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Ask, Classification, Flag, Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Answered, Build, MakeSubject

LAW = Classification("law", 0.7, {"law": 0.7, "math": 0.3})


def test_the_heads_answer_is_the_signal(build: Build, subject: MakeSubject, answered: Answered) -> None:
    reader = build("domain")
    assert reader.asks(subject("hello")) == (Ask("hello", frozenset({"domain"})),)
    assert reader.read(subject("hello"), answered("hello", "domain", LAW)) == Signal(
        "domain", "law", 0.7, frozenset({"law"})
    )


def test_the_floor_is_the_artefacts_or_ones_own(build: Build) -> None:
    assert build("domain").floor == 0.4
    assert build("domain", confidence_floor=0.9).floor == 0.9
    assert build("domain", confidence_floor=0).floor == 0
    assert build("domain").known == frozenset({"law", "math", "other"})


def test_nothing_to_read_is_no_domain(build: Build, subject: MakeSubject, answered: Answered) -> None:
    unknown = Signal("domain", "unknown", 0.0)
    assert build("domain").read(subject(), NO_ANSWERS) == unknown
    assert build("domain").read(subject("..."), answered("...", "domain", LAW, abstained=True)) == unknown


def test_a_head_that_means_something_else_is_not_believed(
    build: Build, subject: MakeSubject, answered: Answered
) -> None:
    with pytest.raises(TypeError, match="no choice"):
        build("domain").read(subject("hello"), answered("hello", "domain", Flag(0.5, raised=False)))
