from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from extproc_router.errors import EncoderTimeout
from extproc_router.signals import pii
from extproc_router.signals.base import NO_ANSWERS, Answers, Cost
from extproc_router.types import Ask, Encoding, Replacement, Signal, Span

if TYPE_CHECKING:
    from extproc_router.signals.base import Resources
    from tests.signals.conftest import Answered, MakeSubject

TEXT = "I am Ann Lee of Leeds, ann@example.com"
SPANS = (Span(5, 12, "PERSON", 0.75), Span(16, 21, "LOCATION", 0.875), Span(2, 4, "PERSON", 0.25))


@pytest.fixture
def make(resources: Resources) -> Any:
    def made(**options: Any) -> pii.Pii:
        return pii.build("pii", pii.Options(kind="pii", **options), resources)

    return made


def test_the_head_reads_the_last_turns_that_came_in(make: Any, subject: MakeSubject) -> None:
    turns = [("system", "rules"), *(text for number in range(5) for text in (f"turn {number}", ("assistant", "well")))]
    asks = make().asks(subject(*turns, ("tool", "result")))
    assert asks == tuple(Ask(text, frozenset({"pii"})) for text in ("turn 2", "turn 3", "turn 4", "result"))


def test_form_alone_asks_nobody(make: Any, subject: MakeSubject, resources: Resources) -> None:
    for options in ({"names": False}, {"types": ["EMAIL_ADDRESS", "SECRET"]}):
        reader = make(**options)
        assert reader.cost is Cost.TEXT
        assert reader.asks(subject(TEXT)) == ()
        found = Signal("pii", "EMAIL_ADDRESS", 1.0, frozenset({"EMAIL_ADDRESS"}), 1.0)
        assert reader.read(subject(TEXT), NO_ANSWERS) == found
        assert "PERSON" not in reader.known
    bare = replace(resources, heads=frozenset({"domain"}))
    assert pii.build("pii", pii.Options(kind="pii", names=False), bare).cost is Cost.TEXT


def test_names_take_the_head(make: Any, subject: MakeSubject, answered: Answered) -> None:
    reader = make()
    assert reader.cost is Cost.ENCODER
    both = frozenset({"EMAIL_ADDRESS", "PERSON"})
    assert reader.read(subject(TEXT), answered(TEXT, "pii", SPANS)) == Signal(
        "pii", "EMAIL_ADDRESS+PERSON", 1.0, both, 2.0
    )


def test_without_anything_of_form_the_surest_name_counts(make: Any, subject: MakeSubject, answered: Answered) -> None:
    text = TEXT.partition(",")[0]
    signal = make().read(subject(text), answered(text, "pii", SPANS))
    assert (signal.label, signal.confidence, signal.number) == ("PERSON", 0.75, 1.0)
    places = make(types=["PERSON", "LOCATION"], score=0.8).read(subject(text), answered(text, "pii", SPANS))
    assert (places.label, places.confidence, places.number) == ("LOCATION", 0.875, 1.0)


def test_every_turn_is_looked_through_by_form(make: Any, subject: MakeSubject, answered: Answered) -> None:
    request = subject(("system", "write to bob@example.com"), ("assistant", "at 203.0.113.7"), "fine")
    signal = make().read(request, answered("fine", "pii", ()))
    assert signal.labels == frozenset({"EMAIL_ADDRESS", "IP_ADDRESS"})


def test_nothing_found_and_nothing_to_read_are_not_absent(make: Any, subject: MakeSubject, answered: Answered) -> None:
    assert make().read(subject("fine"), answered("fine", "pii", ())) == Signal("pii", "none", 1.0, number=0.0)
    for nothing in (subject(), subject("  ")):
        assert make().asks(nothing) == ()
        assert make().read(nothing, NO_ANSWERS) == Signal("pii", "", 0.0, number=0.0)


def test_what_was_shed_leaves_names_unknown(make: Any, subject: MakeSubject) -> None:
    late = Answers({TEXT: EncoderTimeout("late")})
    with pytest.raises(EncoderTimeout):
        make().read(subject(TEXT), late)
    with pytest.raises(EncoderTimeout):
        make().redactor(subject(TEXT), late, None)
    only = make().redactor(subject(TEXT), late, frozenset({"EMAIL_ADDRESS"}))
    assert only(TEXT) == (Replacement(23, 38, "<EMAIL_ADDRESS_1>"),)


@pytest.mark.parametrize(
    "allowed",
    [{"allow": ["ANN@example.com", "ann lee"]}, {"allow_patterns": [r".*@example\.com", r"(?i)ann .*"]}],
)
def test_what_is_allowed_is_nobodys(
    make: Any, subject: MakeSubject, answered: Answered, allowed: dict[str, list[str]]
) -> None:
    reader = make(**allowed)
    answers = answered(TEXT, "pii", SPANS)
    assert reader.read(subject(TEXT), answers).labels == frozenset()
    assert reader.redactor(subject(TEXT), answers, None)(TEXT) == ()
    assert reader.find("\ud800 not-ann@example.org") != ()


def test_a_pattern_must_match_the_whole_value(make: Any) -> None:
    assert make(allow_patterns=["ann"], names=False).find("ann@example.com") != ()


def test_what_the_head_found_goes_everywhere(make: Any, subject: MakeSubject) -> None:
    request = subject(("system", "Be kind to ann lee."), TEXT)
    answers = Answers({TEXT: Encoding({"pii": SPANS}, {"pii": 1}, 9, windowed=False)})
    redactor = make().redactor(request, answers, None)
    assert redactor("Be kind to ann lee.") == (Replacement(11, 18, "<PERSON_1>"),)
    assert [found.text for found in redactor(TEXT)] == ["<PERSON_1>", "<EMAIL_ADDRESS_1>"]
    only = make().redactor(request, answers, frozenset({"PERSON", "LOCATION"}))
    assert [found.text for found in only(TEXT)] == ["<PERSON_1>"]


def test_more_text_than_is_read_is_absent(make: Any, subject: MakeSubject) -> None:
    assert make(names=False).read(subject("x" * pii.MAX_CHARACTERS), NO_ANSWERS).labels == frozenset()
    with pytest.raises(ValueError, match="more than 4194304"):
        make(names=False).read(subject("x" * (pii.MAX_CHARACTERS + 1)), NO_ANSWERS)


def test_regions_tell_whose_numbers_count(make: Any) -> None:
    assert make(names=False).find("01 44 96 01 23") == ()
    assert make(names=False, regions=["FR"]).find("01 44 96 01 23") == (Span(0, 14, "PHONE_NUMBER", 1.0),)


def test_a_missing_head_is_named(resources: Resources) -> None:
    bare = replace(resources, heads=frozenset({"domain"}))
    with pytest.raises(ValueError, match="no head `pii`: set `names: false`"):
        pii.build("pii", pii.Options(kind="pii"), bare)


@pytest.mark.parametrize(
    "options",
    [
        {"types": []},
        {"types": ["DATE_TIME"]},
        {"score": 1.5},
        {"allow": [""]},
        {"allow_patterns": ["("]},
        {"regions": ["us"]},
        {"regions": []},
        {"nmes": True},
    ],
)
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        pii.Options(kind="pii", **options)
