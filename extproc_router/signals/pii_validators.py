"""What must hold of a match beside its form: check digits, ranges that are issued, addresses that mean somebody.

Each validator gets a page (`pii_page`) and a match [start, end), and yields what in it is personal data.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from stdnum import iban as stdnum_iban
from stdnum import luhn
from stdnum.us import ssn as stdnum_ssn

from extproc_router.signals.pii_page import is_alone, is_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    Places = Iterator[tuple[int, int]]

# Issuers' prefixes and the lengths of their numbers (ISO/IEC 7812; the networks' own pages).
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?"  # Discover
    r"|(?:30[0-5]|36\d|3[89]\d)\d{11}|3095\d{10}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}|(?:1800|2131)\d{11}"  # JCB
    r"|(?:62|81)\d{14,17}"  # UnionPay
    r"|220[0-4]\d{12}"  # Mir
    r"|(?:5018|5020|5038|5[678]\d\d|6304|6390|6759|676[1-3]|0604)\d{8,15}"  # Maestro
)
CARD = (
    r"\b(?:[0-9]{12,19}|[0-9]{4}[ \-][0-9]{4}[ \-][0-9]{4}[ \-][0-9]{4}(?:[ \-][0-9]{3})?"
    r"|[0-9]{4}[ \-][0-9]{6}[ \-][0-9]{4,5})\b"
)
_USUAL_CARD = len("4111 1111 1111 1111")
# Country -> length of its account numbers (ISO 13616, SWIFT's registry).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_LETTERS_AND_DIGITS = re.compile(rb"[A-Za-z0-9]+")
# What is written like an address but counts something: `version 1.2.3.4`, `section 4.2.1.3`.
_NUMBERED = re.compile(
    rb"(?i)(?:\b(?:v|ver|version|release|build|section|sect|chapter|clause|article|rule|part)[.:]?|\xa7) ?$"
)
_V6_GROUPS = 3
# Endings of file names that follow an `@` in them (`logo@2x.png`).
_FILES = frozenset(
    {b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"ico", b"css", b"js", b"mjs", b"ts", b"json", b"html"}
)
_LOCAL = 64  # octets before the `@`, RFC 5321, section 4.5.3.1.1


def email(page: bytes, start: int, end: int) -> Places:
    """An address; no file name, and no user of a Git server (`git@host:path`)."""
    local, _, domain = page[start:end].partition(b"@")
    if len(local) > _LOCAL or domain.rpartition(b".")[2].lower() in _FILES:
        return
    if local == b"git" and page[end : end + 1] in {b":", b"/"}:
        return
    yield start, end


def card(page: bytes, start: int, end: int) -> Places:
    """A payment card: prefix and length, Luhn's check digit. A security code that follows does not belong to it."""
    for stop in sorted({end, min(end, start + _USUAL_CARD)}, reverse=True):
        digits = page[start:stop].translate(None, b" -").decode("ascii")
        if is_alone(page, start, stop) and _ISSUED.fullmatch(digits) and luhn.is_valid(digits):
            yield start, stop
            return


def iban(page: bytes, start: int, end: int) -> Places:
    """An account number: its country's form, ISO 7064 MOD 97-10. Words that follow do not belong to it."""
    length = _IBAN_LENGTHS.get(page[start : start + 2].decode("ascii").upper())
    compact = b""
    for match in _LETTERS_AND_DIGITS.finditer(page, start, end):
        compact += match[0]
        if length is None or len(compact) >= length:
            break
    stop = match.end()
    if len(compact) == length and not is_word(page, stop) and stdnum_iban.is_valid(compact.decode("ascii")):
        yield start, stop


def ssn(page: bytes, start: int, end: int) -> Places:
    """A US Social Security number of a range that is issued, and not one of the known specimens."""
    if is_alone(page, start, end, joints=b".,-") and stdnum_ssn.is_valid(
        page[start:end].replace(b" ", b"-").decode("ascii")
    ):
        yield start, end


def ipv4(page: bytes, start: int, end: int) -> Places:
    """An IPv4 address that may be somebody's: no version, no loopback, mask, or group."""
    if not is_alone(page, start, end, joints=b".") or _NUMBERED.search(page[max(start - 12, 0) : start]):
        return
    try:
        address = IPv4Address(page[start:end].decode("ascii"))
    except AddressValueError:
        return
    if not (address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved):
        yield start, end


def ipv6(page: bytes, start: int, end: int) -> Places:
    """An IPv6 address that may be somebody's; no time, no `a::b` of a programming language."""
    written = page[start:end]
    groups = [group for group in written.split(b":") if group]
    is_local = written[:4].lower() == b"fe80"
    has_digit = written.translate(None, b"0123456789") != written
    if is_word(page, start - 1) or is_word(page, end) or not has_digit or (len(groups) < _V6_GROUPS and not is_local):
        return
    try:
        address = IPv6Address(written.decode("ascii"))
    except AddressValueError:
        return
    if not (address.is_loopback or address.is_unspecified or address.is_multicast):
        yield start, end


def birth(page: bytes, start: int, end: int) -> Places:
    """A date beside a word for birth; the pattern has seen to both."""
    if not is_word(page, end):
        yield start, end
