from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.signals.pii_page import blank, is_alone, is_word, legible, masked, page_of, shown
from extproc_router.types import Span


@given(st.text(st.characters()))
def test_a_byte_stands_for_a_character(text: str) -> None:
    assert len(page_of(text)) == len(legible(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("plain 1", b"plain 1"),
        ("Jürgen", "Jürgen".encode("latin-1")),
        ("张三 1\ud800", b"?? 1?"),
        ("\uff21\uff0d\u0663\U0001d7d7", b"A-39"),
        ("4111\u00a01111\u20111111 \uff14\uff15\uff20", b"4111 1111-1111 45@"),
        (r"a\nbob \u00e9 \\n \x \"", b"a  bob" + b" " * 13 + b"x   "),
        ("by <PERSON_1>", b"by " + b"\0" * 10),
    ],
)
def test_what_means_the_same_reads_the_same(text: str, page: bytes) -> None:
    assert page_of(text) == page


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("é", "é"),
        ("a\u200b\u00adb\ufeff", "ab"),
        (r"a\u200bb\\u00ADc\u0041", r"abc\u0041"),
        ("\u2060", ""),
    ],
)
def test_signs_that_are_not_shown_are_left_out(text: str, seen: str) -> None:
    assert shown(text).text == seen


@given(st.text(st.sampled_from("ab\u200b\u00ad\u2060é")))
def test_offsets_lead_back_over_what_was_left_out(text: str) -> None:
    seen = shown(text)
    for place, sign in enumerate(seen.text):
        start, end = seen.span(place, place + 1)
        assert text[start:end] == sign
        start, end = seen.span(0, place + 1)
        assert shown(text[start:end]).text == seen.text[: place + 1]


def test_spans_are_masked() -> None:
    assert masked("abcdef", (Span(3, 5, "x", 1.0), Span(0, 1, "x", 1.0))) == "\0bc\0\0f"
    assert masked("abc", ()) == "abc"


def test_what_was_found_is_blanked_out() -> None:
    assert blank(b"abcdef", [(1, 3), (5, 6)]) == b"a\0\0de\0"


def test_a_word_has_letters_digits_and_underscores() -> None:
    page = "aZ0_é -?\0".encode("latin-1")
    assert [is_word(page, place) for place in range(-1, 10)] == [False] + [True] * 5 + [False] * 5


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("12", True),
        ("(12)", True),
        ("a12", False),
        ("12_", False),
        ("0.12", False),
        ("x.12", True),
        ("12,5", False),
        ("12, 5", True),
        ("1-12", True),
    ],
)
def test_a_number_stands_alone(text: str, *, alone: bool) -> None:
    start = text.index("12")
    assert is_alone(text.encode(), start, start + 2) is alone
