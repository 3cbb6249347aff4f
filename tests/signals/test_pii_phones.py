from __future__ import annotations

import pytest

from extproc_router.signals.pii_phones import Phones


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("5550123", True),
        ("202-555-0123", True),
        ("555012", False),
        ("2024-11-22", False),
        ("22.11.2024 10", False),
        ("1234567890123456789012", False),
    ],
)
def test_beside_a_word_a_number_needs_only_digits(text: str, *, is_one: bool) -> None:
    assert bool([*Phones(()).cued(text.encode(), 0, len(text))]) is is_one


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+1 202 555 0123", "+1 202 555 0123"),
        ("+44 7700 900123", "+44 7700 900123"),
        ("+1 202 555 0123 2024 11", "+1 202 555 0123"),
        ("+999 12 345", ""),
    ],
)
def test_a_country_code_needs_no_region(text: str, found: str) -> None:
    places = [*Phones(()).international(text.encode(), 0, len(text))]
    assert [text[start:end] for start, end in places] == ([found] if found else [])


def test_a_sum_is_no_country_code() -> None:
    assert [*Phones(()).international(b"x+12025550123", 1, 13)] == []


@pytest.mark.parametrize(
    ("text", "regions", "is_one"),
    [
        ("(202) 555-0123", ["US"], True),
        ("202.555.0123", ["GB", "US"], True),
        ("020 7946 0958", ["GB"], True),
        ("02 07 946 0958", ["GB"], False),
        ("020 7946 0958", ["US"], False),
        ("01 44 96 01 23", ["FR"], True),
        ("999 555 0123", ["US"], False),
        ("2024-11-22", ["US"], False),
    ],
)
def test_without_one_the_region_counts(text: str, regions: list[str], *, is_one: bool) -> None:
    assert bool([*Phones(regions).national(text.encode(), 0, len(text))]) is is_one


def test_beyond_what_somebody_would_write_the_form_decides() -> None:
    phones = Phones(("US",))
    assert not any([*phones.national(b"999 555 0123", 0, 12)] for _ in range(50))
    assert [*phones.national(b"999 555 0123", 0, 12)] == [(0, 12)]
    assert [*phones.international(b"+999 12 345", 0, 11)] == [(0, 11)]
