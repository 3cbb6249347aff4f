from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from extproc_router.errors import EncoderTimeout
from extproc_router.signals import head
from extproc_router.signals.base import Answers, Cost
from extproc_router.types import Ask, Encoding, Flag, Pair, Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Resources
    from tests.signals.conftest import Answered, MakeSubject

NOTHING = Signal("attack", "no", 0.0, number=0.0)


def flag(resources: Resources, threshold: float | None = None) -> head.Head:
    return head.flag(
        "attack", "jailbreak", lambda subject: tuple(turn.text for turn in subject.request.turns), threshold, resources
    )


def test_one_head_is_asked_about_each_text(subject: MakeSubject, resources: Resources) -> None:
    reader = flag(resources)
    assert reader.cost is Cost.ENCODER
    assert reader.asks(subject("hello")) == (Ask("hello", frozenset({"jailbreak"})),)
    assert reader.asks(subject("hello", "world")) == tuple(
        Ask(text, frozenset({"jailbreak"})) for text in ("hello", "world")
    )


@pytest.mark.parametrize(
    ("said", "number", "raised"),
    [
        ([Flag(0.2, raised=False), Flag(0.9, raised=True), Flag(0.3, raised=False)], 0.9, True),
        ([Flag(0.2, raised=False), Flag(0.4, raised=False)], 0.4, False),
        ([Flag(0.5, raised=False), None], 0.5, False),
        ([None, None], 0.0, False),
    ],
)
def test_of_several_texts_the_worst_counts(
    subject: MakeSubject, resources: Resources, said: list[Flag | None], *, number: float, raised: bool
) -> None:
    texts = [f"text {place}" for place in range(len(said))]
    encodings = {
        text: Encoding({"jailbreak": one or Flag(0.5, raised=False)}, {}, 9, windowed=False, abstained=one is None)
        for text, one in zip(texts, said, strict=True)
    }
    signal = flag(resources).read(subject(*texts), Answers(encodings))
    assert (signal.number, bool(signal.labels)) == (number, raised)
    with pytest.raises(EncoderTimeout):
        flag(resources).read(subject(*texts), Answers({**encodings, texts[0]: EncoderTimeout("late")}))


def test_what_the_user_wants_is_one_text_or_none(subject: MakeSubject) -> None:
    assert head.asked(subject("old question", "why?")) == ("old question\nwhy?",)
    assert head.asked(subject(" ")) == ()


@pytest.mark.parametrize(
    ("threshold", "said", "signal"),
    [
        (None, Flag(0.3, raised=True), Signal("attack", "yes", 0.3, frozenset({"yes"}), 0.3)),
        (None, Flag(0.25, raised=False), Signal("attack", "no", 0.75, number=0.25)),
        (0.25, Flag(0.25, raised=False), Signal("attack", "yes", 0.25, frozenset({"yes"}), 0.25)),
        (0.75, Flag(0.5, raised=True), Signal("attack", "no", 0.5, number=0.5)),
    ],
)
def test_a_threshold_stands_in_for_the_artefacts(
    subject: MakeSubject, resources: Resources, answered: Answered, threshold: float | None, said: Flag, signal: Signal
) -> None:
    assert flag(resources, threshold).read(subject("hello"), answered("hello", "jailbreak", said)) == signal


def test_nothing_to_read_is_no_attack_and_not_absent(
    subject: MakeSubject, resources: Resources, answered: Answered
) -> None:
    reader = flag(resources)
    assert reader.asks(subject()) == ()
    assert reader.read(subject(), Answers()) == NOTHING
    unknown = answered("...", "jailbreak", Flag(0.5, raised=False), abstained=True)
    assert reader.read(subject("..."), unknown) == NOTHING


def test_what_was_shed_is_told(subject: MakeSubject, resources: Resources) -> None:
    with pytest.raises(EncoderTimeout):
        flag(resources).read(subject("hello"), Answers({"hello": EncoderTimeout("late")}))


def test_a_head_that_means_something_else_is_not_believed(
    subject: MakeSubject, resources: Resources, answered: Answered
) -> None:
    with pytest.raises(TypeError, match="no flag"):
        flag(resources).read(subject("hello"), answered("hello", "jailbreak", Pair(0.5, 0.5, 0.5)))


def test_a_head_that_does_not_exist_is_named(resources: Resources) -> None:
    bare = replace(resources, heads=frozenset({"domain"}))
    with pytest.raises(ValueError, match="no head 'jailbreak'; it has domain"):
        flag(bare)
