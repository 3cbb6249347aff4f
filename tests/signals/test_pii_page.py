from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.signals.pii_page import blank, is_alone, is_word, legible, page_of


@given(st.text(st.characters()))
def test_a_byte_stands_for_a_character(text: str) -> None:
    assert len(page_of(text)) == len(legible(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("plain 1", b"plain 1"),
        ("Jürgen", "Jürgen".encode("latin-1")),
        ("张三 1\ud800", b"?? 1?"),
        ("4111\u00a01111\u20111111 \uff14\uff15\uff20", b"4111 1111-1111 45@"),
        (r"a\nbob \u00e9 \\n \x \"", b"a  bob" + b" " * 13 + b"x   "),
        ("by <PERSON_1>", b"by " + b"\0" * 10),
    ],
)
def test_what_means_the_same_reads_the_same(text: str, page: bytes) -> None:
    assert page_of(text) == page


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
