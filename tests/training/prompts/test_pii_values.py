from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.training.prompts import pii_values
from extproc_router.training.prompts.pii_values import TYPES, locales, value

LANGUAGES = tuple(locales())
# ISO 13616 registry.
IBAN_LENGTHS = {"GB": 22, "DE": 22, "FR": 27, "ES": 24, "IT": 27, "PT": 25, "NL": 18, "PL": 28}
SHAPES = {
    "EMAIL": r"[a-z0-9._]+@[a-z0-9]+(\.[a-z]+)+",
    "SSN": r"\d{3}-\d{2}-\d{4}",
    "IP": r"\d{1,3}(\.\d{1,3}){3}|2001:db8(:[0-9a-f]{1,4}){6}",
    "AGE": r"[1-9]\d",
    "PASSPORT": r"[A-Z0-9]{9}",
}


def many(slot: str, lang: str) -> list[str]:
    chooser = random.Random(5)
    return [value(slot, lang, chooser) for _ in range(200)]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("slot", TYPES)
def test_every_value_is_filled_in_and_trimmed(slot: str, lang: str) -> None:
    for made in many(slot, lang):
        assert made == made.strip()
        assert re.search(r"\w", made)
        assert re.search(r"[#?{}]", made) is None


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("slot", SHAPES)
def test_values_have_their_shape(slot: str, lang: str) -> None:
    assert [made for made in many(slot, lang) if not re.fullmatch(SHAPES[slot], made)] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_ibans_have_right_lengths_and_check_digits(lang: str) -> None:
    for made in many("IBAN", lang):
        number = made.replace(" ", "")
        assert len(number) == IBAN_LENGTHS[number[:2]]
        assert int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def test_cards_pass_luhn() -> None:
    for made in many("CARD", "en"):
        digits = [int(digit) for digit in reversed(re.sub(r"\D", "", made))]
        assert len(digits) in {15, 16}
        assert (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


@pytest.mark.parametrize(("digits", "check"), [("7992739871", "3"), ("411111111111111", "1"), ("37828224631000", "5")])
def test_luhn_of_published_examples(digits: str, check: str) -> None:
    assert pii_values.luhn(digits) == check


@pytest.mark.parametrize(
    ("country", "account", "checks"),
    [("GB", "WEST12345698765432", "82"), ("DE", "370400440532013000", "89"), ("NL", "ABNA0417164300", "91")],
)
def test_check_digits_of_published_ibans(country: str, account: str, checks: str) -> None:
    assert pii_values.iban_checks(country, account) == checks


@given(st.integers(0, 10**18), st.integers(0, 9))
def test_luhn_notices_every_wrong_digit(number: int, other: int) -> None:
    digits = str(number)
    changed = f"{other}{digits[1:]}"
    assert (pii_values.luhn(changed) == pii_values.luhn(digits)) == (changed == digits)


def test_ssns_that_are_never_issued_do_not_occur() -> None:
    parts = [made.split("-") for made in many("SSN", "en")]
    assert not any(area in {"000", "666"} or area >= "900" or group == "00" for area, group, _ in parts)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_its_lists(lang: str) -> None:
    locale = locales()[lang]
    assert len(locale.months) == 12
    assert min(len(locale.given), len(locale.family)) >= 18
    for field in locale.__struct_fields__:
        entries: Any = getattr(locale, field)
        assert entries
        assert isinstance(entries, str) or len(set(entries)) == len(entries)


@pytest.mark.parametrize(("slot", "lang"), [("SHOE_SIZE", "en"), ("PERSON", "xx")])
def test_what_is_unknown_is_a_key_error(slot: str, lang: str) -> None:
    with pytest.raises(KeyError):
        value(slot, lang, random.Random(0))
