"""The types of personal data, under the names that Presidio gives them where it has one, and their placeholders."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias, get_args

Type: TypeAlias = Literal[
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "CREDIT_CARD",
    "IBAN_CODE",
    "US_SSN",
    "IP_ADDRESS",
    "DATE_OF_BIRTH",
    "SECRET",
    "PERSON",
    "ADDRESS",
    "NATIONAL_ID",
    "PASSPORT",
    "US_DRIVER_LICENSE",
    "LOCATION",
]
EMAIL: Final = "EMAIL_ADDRESS"
PHONE: Final = "PHONE_NUMBER"
CARD: Final = "CREDIT_CARD"
IBAN: Final = "IBAN_CODE"
SSN: Final = "US_SSN"
IP: Final = "IP_ADDRESS"
BIRTH: Final = "DATE_OF_BIRTH"
SECRET: Final = "SECRET"  # noqa: S105  the name of a type

STRUCTURED: Final[tuple[Type, ...]] = (EMAIL, PHONE, CARD, IBAN, SSN, IP, BIRTH, SECRET)
"""Found by their form."""
PERSONAL: Final[tuple[Type, ...]] = ("PERSON", "ADDRESS", "NATIONAL_ID", "PASSPORT", "US_DRIVER_LICENSE")
"""Found by the encoder's head. It knows more (DATE_TIME, AGE, TITLE, ORGANIZATION, NRP, DOMAIN_NAME, ZIP_CODE), which
are nobody's alone; and those with a form, which their finders know better."""
# `LOCATION` too counts only where it is asked for: a city or a country is nobody's alone.

_PLACEHOLDER = re.compile(rf"<({'|'.join(get_args(Type))})_([0-9]{{1,4}})>")
_LIKE_ONE = re.compile(r"<[A-Za-z_]{1,40}_(?=[0-9])")


class TooMuch(ValueError):
    """A text holds more personal data than is looked through."""


def blank_placeholders(text: str) -> str:
    """Return the text with NULs in place of what an earlier redaction left, as long as before.

    Four digits of a placeholder at most: nobody shall hide a number in one. In what is merely like one
    (`<US_SSN_536..`) the words stand apart, so that it is read as anything else is.
    """
    if "<" not in text:
        return text
    text = _PLACEHOLDER.sub(lambda match: "\0" * len(match[0]), text)
    return _LIKE_ONE.sub(lambda match: match[0].replace("_", " "), text)


def numbers_taken(text: str) -> dict[str, int]:
    """Return the highest number that a text's own placeholders of each type have."""
    taken: dict[str, int] = {}
    if "<" in text:
        for match in _PLACEHOLDER.finditer(text):
            taken[match[1]] = max(taken.get(match[1], 0), int(match[2]))
    return taken
