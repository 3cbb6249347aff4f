from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.signals.pii_numbers import Numbers
from extproc_router.types import Span

SSN, CARD = "US_SSN", "CREDIT_CARD"


def numbers(*types: str) -> Numbers:
    known = Numbers(frozenset(types or (SSN, CARD)))
    text = "536-22-8726 4111 1111 1111 1111 203.0.113.7"
    known.learn(text, (Span(0, 11, SSN, 1.0), Span(12, 31, CARD, 1.0), Span(32, 43, "IP_ADDRESS", 1.0)))
    return known


def found(known: Numbers, text: str, taken: tuple[Span, ...] = ()) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in known.find(text, taken)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", []),
        ("no 536228726.", [(SSN, "536228726")]),
        ("536 22 8726, 5362-28726", [(SSN, "536 22 8726"), (SSN, "5362-28726")]),
        ("order_536228726x", [(SSN, "536228726")]),
        ("41 11-1111/1111 11\n11 7", [(CARD, "41 11-1111/1111 11\n11")]),
        ("12 536228726 536 22 8726", [(SSN, "536228726"), (SSN, "536 22 8726")]),
        ("53622872 65362287260 536 22 87260", []),
        ("203 0 113 7", []),
        ("\uff15\uff13\uff162287\u200b26", [(SSN, "\uff15\uff13\uff162287\u200b26")]),
    ],
)
def test_known_numbers_are_found_in_any_groups(text: str, places: list[tuple[str, str]]) -> None:
    assert found(numbers(), text) == places


def test_only_types_that_are_wanted_are_learnt() -> None:
    assert found(numbers(CARD), "536228726 4111111111111111") == [(CARD, "4111111111111111")]
    assert numbers("IP_ADDRESS").types == frozenset()


def test_what_is_taken_is_not_found_again() -> None:
    assert found(numbers(), "536228726 536228726", (Span(0, 9, SSN, 1.0),)) == [(SSN, "536228726")]


@given(st.lists(st.sampled_from(["536", "22", "8726", "4111", "1", " ", "-", "x", "\u200b"]), max_size=30).map("".join))
def test_places_are_in_order_without_overlap(text: str) -> None:
    reached = 0
    for span in numbers().find(text, ()):
        assert reached <= span.start < span.end <= len(text)
        reached = span.end
