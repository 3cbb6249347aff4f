"""Personal data with a form: which patterns say that there may be some, and who looks closer.

All patterns are RE2: a text is read once for all hints together, then once for each pattern whose hint was there.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import re2  # type: ignore[import-untyped]  # google-re2 ships no types
from msgspec import Struct

from extproc_router.signals import pii_phones, pii_secrets, pii_validators
from extproc_router.signals.pii_page import blank, masked, page_of, shown
from extproc_router.signals.pii_phones import Phones
from extproc_router.signals.pii_types import BIRTH, CARD, EMAIL, IBAN, IP, PHONE, SECRET, SSN, TooMuch
from extproc_router.types import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Check = Callable[[bytes, int, int], Iterator[tuple[int, int]]]

MAX_FOUND = 1000
"""In one text; nobody writes more, and looking at each takes time."""

_MEMORY = 64 << 20  # bytes that compiled patterns may use: too little, and RE2 answers that nothing matches
_PASSES = 4  # what was found may hide something else from its finder, and that something again

_DATE = (
    r"(?:19|20)[0-9]{2}[\-/.](?:0?[1-9]|1[0-2])[\-/.](?:[12][0-9]|3[01]|0?[1-9])"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|[0-3]?[0-9][\-/.] ?[0-3]?[0-9][\-/.] ?(?:(?:19|20)[0-9]{2}|[0-9]{2})"
    r"|[0-3]?[0-9](?:st|nd|rd|th|\.)?(?: of| de)?[ \-][A-Za-z\x80-\xff]{3,10}\.?,?(?: of| de)?[ \-](?:19|20)[0-9]{2}"
    r"|[A-Za-z\x80-\xff]{3,10}\.? [0-3]?[0-9](?:st|nd|rd|th)?,? (?:19|20)[0-9]{2}"
)
_BORN = (
    r"(?:born|d\.?o\.?b|date[ _\-]?of[ _\-]?birth|birth[ _\-]?(?:date|day)"
    r"|geboren|geburtsdatum|geb\.|née?\b|date de naissance|fecha de nacimiento|nacid[oa]|nat[oa] il|data di nascita)"
)
_LINKS = (
    r"(?:\s{0,2}(?:is|was|on|the|am|le|el|il)\b|\s{0,2}in [A-Za-z]{2,20},?(?: on)?\b"
    r"|[\s:=,*#(\[\"']{1,4}|\s?[\-]\s){0,6}"
)
_SSN = r"[0-9]{3}-[0-9]{2}-[0-9]{4}"
_SSN_CUE = r"(?:ssn|ss#|social[ \-_]security(?:[ \-_](?:number|no|num|nr))?)"
_USUAL_LINKS = r"(?:\s{0,2}(?:is|was|number|no)\b|[\s.:=#(\"'\]\-]{1,4}){0,4}"


class Finder(Struct, frozen=True):
    """How one kind of personal data is found.

    Attributes:
        type: of what it finds.
        hint: RE2; where it matches nothing, there is nothing to find.
        pattern: RE2; of a match, its first group where it has one, is looked at closer.
        check: yields what in [start, end) of a page is personal data.
    """

    type: str
    hint: str
    pattern: str
    check: Check | str


# In this order: what one has found, the next does not see. `check` names a method of `Phones` where it is a string.
FINDERS: Final = (
    Finder(SECRET, r"-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY", pii_secrets.PEM, pii_secrets.pem),
    Finder(
        SECRET,
        r"(?:A[KSBC][IC]A|gh[pousr]_|github_pat_|gl[a-z]{2,3}-|xox[a-z]-|xapp-|sk-|AIza|GOCSPX-|ya29\.|[rs]k_|whsec_|hf_|npm_|eyJ)"
        r"[A-Za-z0-9_\-]{6}",
        rf"\b(?:{pii_secrets.TOKENS})",
        pii_secrets.token,
    ),
    Finder(SECRET, r"(?i)bearer\s", pii_secrets.BEARER, pii_secrets.bearer),
    Finder(SECRET, r"[A-Za-z0-9+.\-]://[^\s/@]*:[^\s/@]*@", pii_secrets.USERINFO, pii_secrets.userinfo),
    Finder(SECRET, r"(?i)(?:pass|pwd|secret|key|token)", pii_secrets.QUOTED, pii_secrets.quoted),
    Finder(SECRET, r"(?i)(?:pass|pwd|secret|key|token)", pii_secrets.BARE, pii_secrets.bare),
    Finder(
        EMAIL,
        r"[A-Za-z0-9\xc0-\xff]@[A-Za-z0-9\xc0-\xff]",
        r"[A-Za-z0-9\xc0-\xff_][A-Za-z0-9\xc0-\xff_.+%'\-]*@(?:[A-Za-z0-9\xc0-\xff][A-Za-z0-9\xc0-\xff\-]{0,62}\.){1,8}[A-Za-z]{2,24}\b",
        pii_validators.email,
    ),
    Finder(
        IBAN,
        r"\b[A-Za-z]{2}[0-9]{2}(?:[ \-]?[A-Za-z0-9]){11}",
        r"\b[A-Za-z]{2}[0-9]{2}(?:[ \-]?[A-Za-z0-9]){11,30}",
        pii_validators.iban,
    ),
    Finder(CARD, r"[0-9](?:[ \-]?[0-9]){11}", pii_validators.CARD, pii_validators.card),
    Finder(SSN, _SSN, _SSN, pii_validators.ssn),
    Finder(
        SSN,
        rf"(?i){_SSN_CUE}",
        rf"(?i)\b{_SSN_CUE}{_USUAL_LINKS}([0-9]{{3}}[ \-]?[0-9]{{2}}[ \-]?[0-9]{{4}})",
        pii_validators.ssn,
    ),
    Finder(IP, r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", pii_validators.ipv4),
    Finder(
        IP,
        r"[0-9A-Fa-f]:[0-9A-Fa-f:]*:[0-9A-Fa-f]",
        r"(?:[0-9A-Fa-f]{1,4}:|::)(?:[0-9A-Fa-f]{0,4}:){1,7}[0-9A-Fa-f]{1,4}(?:(?:\.[0-9]{1,3}){3})?",
        pii_validators.ipv6,
    ),
    Finder(BIRTH, rf"(?i)(?:\b|_){_BORN}", rf"(?i)(?:\b|_){_BORN}{_LINKS}({_DATE})", pii_validators.birth),
    Finder(PHONE, pii_phones.HINT, pii_phones.CUED, "cued"),
    Finder(PHONE, pii_phones.HINT, pii_phones.INTERNATIONAL, "international"),
    Finder(PHONE, pii_phones.HINT, pii_phones.NATIONAL, "national"),
)


class Structured:
    """Finds personal data by its form; stateless, and safe to use from several threads.

    Args:
        regions: ISO 3166-1 codes whose national telephone numbers are known.
        allowed: tells values that are no personal data.
    """

    def __init__(self, regions: Sequence[str], allowed: Callable[[str], bool]) -> None:
        self._regions = tuple(regions)
        self._allowed = allowed

    def find(self, text: str, taken: Sequence[Span] = ()) -> tuple[Span, ...]:
        """Find everything in a text beside what is taken already, as it is shown and as it is written.

        Args:
            text: any.
            taken: without overlap.

        Returns:
            Sorted, without overlap, of score 1. Time is linear in the length of the text.

        Raises:
            TooMuch: there is more than `MAX_FOUND`, even if part of it is allowed.
        """
        free = masked(text, taken)
        seen = shown(free)
        found = self._search(seen.text, MAX_FOUND)
        if seen.text is not free:
            found = [Span(*seen.span(span.start, span.end), span.type, span.score) for span in found]
            # What is not shown may also stand where a word ends.
            found += self._search(masked(free, found), MAX_FOUND - len(found))
        kept = (span for span in found if not self._allowed(shown(text[span.start : span.end]).text))
        return tuple(sorted(kept, key=lambda span: span.start))

    def _search(self, text: str, most: int) -> list[Span]:
        page = page_of(text)
        phones = Phones(self._regions)
        found: list[Span] = []
        hints, patterns = _compiled()
        for _ in range(_PASSES):
            before = page
            for number in sorted(hints.Match(page) or ()):
                finder = FINDERS[number]
                check = getattr(phones, finder.check) if isinstance(finder.check, str) else finder.check
                places = _places(patterns[number], page, check, most - len(found))
                if places:
                    page = blank(page, places)
                    found += [Span(start, end, finder.type, 1.0) for start, end in places]
            if page is before:
                break
        return found


def _places(pattern: re2.Pattern, page: bytes, check: Check, most: int = MAX_FOUND) -> list[tuple[int, int]]:
    """Return what a pattern and its check find, without overlap.

    Raises:
        TooMuch: there is more than `most`.
    """
    places: list[tuple[int, int]] = []
    reached = 0
    for match in pattern.finditer(page):
        start, end = match.span(pattern.groups)
        if start >= reached:  # a check may have gone on beyond its match
            for place in check(page, start, end):
                if len(places) == most:
                    raise TooMuch(f"more than {MAX_FOUND} pieces of personal data")
                places.append(place)
                reached = place[1]
    return places


@cache
def _compiled() -> tuple[re2.Set, tuple[re2.Pattern, ...]]:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    options.log_errors = False
    hints = re2.Set.SearchSet(options)
    for finder in FINDERS:
        hints.Add(finder.hint.encode("latin-1"))
    hints.Compile()
    return hints, tuple(re2.compile(finder.pattern.encode("latin-1"), options) for finder in FINDERS)
