"""Invented values for the slots of PII templates: names, addresses, numbers with right check digits."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

# Slot -> type of its span, in the names that Presidio's data uses where it has one.
TYPES: Final[Mapping[str, str]] = {
    "PERSON": "PERSON",
    "FIRST": "PERSON",
    "LAST": "PERSON",
    "ADDRESS": "ADDRESS",
    "CITY": "LOCATION",
    "ORG": "ORGANIZATION",
    "PHONE": "PHONE_NUMBER",
    "EMAIL": "EMAIL_ADDRESS",
    "CARD": "CREDIT_CARD",
    "IBAN": "IBAN_CODE",
    "SSN": "US_SSN",
    "ID": "NATIONAL_ID",
    "PASSPORT": "PASSPORT",
    "IP": "IP_ADDRESS",
    "DOB": "DATE_OF_BIRTH",
    "AGE": "AGE",
}
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_CARDS = ("4###############", "51##############", "54##############", "37#############")
_PASSPORTS = ("?########", "??#######", "#########", "##??#####")
_MAILBOXES = (
    "{given}.{family}",
    "{given}{family}",
    "{initial}.{family}",
    "{given}_{year}",
    "{family}.{given}",
    "{given}",
)
_HOSTS = ("postbox", "mailhaven", "webmoor", "inboxly", "fastletter", "quillmail", "brightnet", "homeline", "zonemail")
# Not decomposed by Unicode; the third is the dotless i.
_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "\u0131": "i", "ø": "o"})


class Locale(Struct, frozen=True, forbid_unknown_fields=True):
    """What one language's people write.

    In patterns `#` stands for a digit and `?` for a capital letter. `addresses` and `dates` are format strings, with
    {number} {street} {city} {zip} {flat} and {d} {dd} {m} {mm} {yy} {yyyy} {month}. `iban` begins with the country;
    its two check digits may be anything, they are computed.
    """

    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    orgs: tuple[str, ...]
    addresses: tuple[str, ...]
    zips: tuple[str, ...]
    phones: tuple[str, ...]
    ids: tuple[str, ...]
    months: tuple[str, ...]
    dates: tuple[str, ...]
    iban: str
    tlds: tuple[str, ...]


@cache
def locales() -> Mapping[str, Locale]:
    """Language -> its values, from the file beside this module."""
    content = (resources.files(__package__) / "pii_values.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, Locale])


def value(slot: str, lang: str, chooser: random.Random) -> str:
    """Make up a value.

    Args:
        slot: a key of `TYPES`.
        lang: a key of `locales`.
        chooser: of everything that is random.

    Returns:
        Text without blanks at its ends.

    Raises:
        KeyError: there is no such slot or language.
    """
    return _MAKERS[slot](locales()[lang], chooser)


def luhn(digits: str) -> str:
    """The check digit that makes `digits` + digit pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004  the sum of its two digits
    return str(-total % 10)


def iban_checks(country: str, account: str) -> str:
    """The two check digits of an IBAN (ISO 7064 MOD 97-10, as ISO 13616 applies it)."""
    number = int("".join(str(int(character, 36)) for character in f"{account}{country}00"))
    return f"{98 - number % 97:02d}"


def _pattern(pattern: str, chooser: random.Random) -> str:
    digits = re.sub("#", lambda _: str(chooser.randrange(10)), pattern)
    return re.sub(r"\?", lambda _: chooser.choice(_LETTERS), digits)


def _grouped(text: str, sizes: tuple[int, ...], separator: str) -> str:
    parts, start = [], 0
    for size in sizes:
        parts.append(text[start : start + size])
        start += size
    return separator.join(part for part in (*parts, text[start:]) if part)


def _person(locale: Locale, chooser: random.Random) -> str:
    given, family = chooser.choice(locale.given), chooser.choice(locale.family)
    forms = (f"{given} {family}",) * 6 + (f"{given[0]}. {family}", f"{given} {chooser.choice(_LETTERS)}. {family}")
    return chooser.choice((*forms, f"{given} {family}".upper(), f"{given} {family}".lower()))


def _address(locale: Locale, chooser: random.Random) -> str:
    return chooser.choice(locale.addresses).format(
        number=chooser.randint(1, 240),
        flat=chooser.randint(1, 30),
        street=chooser.choice(locale.streets),
        city=chooser.choice(locale.cities),
        zip=_pattern(chooser.choice(locale.zips), chooser),
    )


def _email(locale: Locale, chooser: random.Random) -> str:
    given, family = _ascii(chooser.choice(locale.given)), _ascii(chooser.choice(locale.family))
    year = chooser.randint(60, 99)
    mailbox = chooser.choice(_MAILBOXES).format(given=given, family=family, initial=given[0], year=year)
    return f"{mailbox}@{chooser.choice((*_HOSTS, family))}.{chooser.choice(locale.tlds)}"


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower().translate(_PLAIN))
    return re.sub(r"[^a-z]", "", plain)


def _card(_: Locale, chooser: random.Random) -> str:
    digits = _pattern(chooser.choice(_CARDS), chooser)[:-1]
    number = digits + luhn(digits)
    sizes = (4, 6) if number.startswith("37") else (4, 4, 4)
    return _grouped(number, sizes, chooser.choice((" ", "-", "")))


def _iban(locale: Locale, chooser: random.Random) -> str:
    country, account = locale.iban[:2], _pattern(locale.iban[4:], chooser)
    number = f"{country}{iban_checks(country, account)}{account}"
    return _grouped(number, (4,) * (len(number) // 4), chooser.choice((" ", "")))


def _ssn(_: Locale, chooser: random.Random) -> str:
    # 666 and numbers from 900 on are never issued, nor is a part of zeros alone.
    area = chooser.choice([number for number in range(1, 900) if number != 666])  # noqa: PLR2004  see above
    return f"{area:03d}-{chooser.randint(1, 99):02d}-{chooser.randint(1, 9999):04d}"


def _ip(_: Locale, chooser: random.Random) -> str:
    if chooser.random() < 0.2:  # noqa: PLR2004  a fifth
        return "2001:db8:" + ":".join(f"{chooser.randrange(1, 65536):x}" for _ in range(6))
    return ".".join(str(chooser.randint(1, 254)) for _ in range(4))


def _birthday(locale: Locale, chooser: random.Random) -> str:
    year, month, day = chooser.randint(1932, 2016), chooser.randint(1, 12), chooser.randint(1, 28)
    return chooser.choice(locale.dates).format(
        d=day,
        dd=f"{day:02d}",
        m=month,
        mm=f"{month:02d}",
        yy=f"{year % 100:02d}",
        yyyy=year,
        month=locale.months[month - 1],
    )


_MAKERS: Final[Mapping[str, Callable[[Locale, random.Random], str]]] = {
    "PERSON": _person,
    "FIRST": lambda locale, chooser: chooser.choice(locale.given),
    "LAST": lambda locale, chooser: chooser.choice(locale.family),
    "ADDRESS": _address,
    "CITY": lambda locale, chooser: chooser.choice(locale.cities),
    "ORG": lambda locale, chooser: chooser.choice(locale.orgs),
    "PHONE": lambda locale, chooser: _pattern(chooser.choice(locale.phones), chooser),
    "EMAIL": _email,
    "CARD": _card,
    "IBAN": _iban,
    "SSN": _ssn,
    "ID": lambda locale, chooser: _pattern(chooser.choice(locale.ids), chooser),
    "PASSPORT": lambda _, chooser: _pattern(chooser.choice(_PASSPORTS), chooser),
    "IP": _ip,
    "DOB": _birthday,
    "AGE": lambda _, chooser: str(chooser.randint(16, 97)),
}
