"""Telephone numbers: beside a word that says so, with a country code, or as a region's people write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from phonenumbers import (
    Leniency,
    NumberParseException,
    PhoneNumberMatcher,
    is_possible_number,
    is_valid_number_for_region,
    parse,
)

from extproc_router.signals.pii_page import is_alone, is_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Places = Iterator[tuple[int, int]]

_NOUNS = (
    r"(?:(?:(?:tele)?phone|telefono?|tel[eé]fono|t[eé]l|mobile|mobil|mob|cell(?:phone)?|fax|whatsapp|hotline|handy)"
    r"(?:[ _\-]?(?:numbers?|num|no|nr|n[uú]mero))?|(?:my|your|his|her|their|our) numbers?|contact|sms)"
    r"(?:\s(?:is|was|at|on|to|via|under|number)){0,3}[\s.:=#(\"'\]\-]{0,6}"
)
_VERBS = (
    r"(?:(?:call|ring|dial|reach)(?: (?:me|us|him|her|them|back))?|text (?:me|us|him|her|them))"
    r"(?:\s(?:at|on|via|under)){0,2}:?\s{1,2}"
)
_EXTENSION = r"(?:(?:x| ?ext\.? ?)[0-9]{1,6})?"
CUED = rf"(?i)(?:\b|_)(?:{_NOUNS}|{_VERBS})(\+?\(?[0-9][0-9 ().\-/]{{5,24}}[0-9]{_EXTENSION})"
INTERNATIONAL = r"\+\(?[0-9][0-9 ().\-/]{6,24}[0-9]"
# The area code of North America, or a leading zero, and separators: no other number is commonly written so.
_NANP = r"\(?[2-9][0-9]{2}\)?[ .\-/]{1,2}[2-9][0-9]{2}[ .\-][0-9]{4}"
NATIONAL = rf"(?:{_NANP}|\(?0[1-9][0-9]{{0,4}}\)?[ .\-/]{{1,2}}[0-9][0-9 .\-/]{{3,12}}[0-9])"
HINT = r"[0-9](?:[ ().\-/]{0,4}[0-9]){6}"

_NORTH_AMERICAN = re.compile(_NANP)
# Seven to fifteen digits (E.164), no more between them than between groups, perhaps an extension.
_DIALLED = re.compile(rb"\+?\(?[0-9](?:[ ().\-/]{0,4}[0-9]){6,14}(?: ?[xXeE].*)?")
_JOINTS = (b" ", b"(", b")", b".", b"-", b"/")
_TRIES = 50
_DATE = re.compile(rb"\D{0,2}(?:(?:19|20)\d\d([-./])\d\d?\1\d\d?|\d\d?([-./])\d\d?\2(?:19|20)\d\d)(?!\d)")


class Phones:
    """Tells numbers that may be called from others, for one text.

    A text with more candidates than somebody would write gets the form's word alone for the rest: looking a number up
    takes some 50 microseconds.

    Args:
        regions: ISO 3166-1 codes whose national forms are known, e.g. `US`.
    """

    def __init__(self, regions: Sequence[str]) -> None:
        self._regions = regions
        self._tries = 0

    def cued(self, page: bytes, start: int, end: int) -> Places:
        """A number that the text itself calls one."""
        if _DIALLED.fullmatch(page, start, end) and not _DATE.match(page, start) and not is_word(page, end):
            yield start, end

    def international(self, page: bytes, start: int, end: int) -> Places:
        """A number with its country code; its region need not have issued it."""
        if is_word(page, start - 1) or is_word(page, end):
            return
        while end > start:
            if self._is_spent() or _is_possible(page[start:end].decode("ascii")):
                yield start, end
                return
            last = max(page.rfind(sign, start, end) for sign in _JOINTS)  # digits may follow that are not its own
            end = start + len(page[start : max(start, last)].rstrip(b"".join(_JOINTS)))

    def national(self, page: bytes, start: int, end: int) -> Places:
        """A number as it is written in a region."""
        if not is_alone(page, start, end, joints=b".,-/+") or _DATE.match(page, start):
            return
        written = page[start:end].decode("ascii")
        for region in self._regions:
            if self._is_spent() or (_is_valid(written, region) and _is_grouped(written, region)):
                yield start, end
                return

    def _is_spent(self) -> bool:
        self._tries += 1
        return self._tries > _TRIES


def _is_possible(written: str) -> bool:
    try:
        return is_possible_number(parse(written))
    except NumberParseException:
        return False


def _is_valid(written: str, region: str) -> bool:
    try:
        return is_valid_number_for_region(parse(written, region), region)
    except NumberParseException:
        return False


def _is_grouped(written: str, region: str) -> bool:
    """Whether the digits of a valid number stand in groups as they do in its region."""
    return (
        _NORTH_AMERICAN.fullmatch(written) is not None
        or PhoneNumberMatcher(written, region, Leniency.STRICT_GROUPING, 1).has_next()
    )
