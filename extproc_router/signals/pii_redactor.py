"""Typed placeholders in place of personal data, consistent within one request."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from extproc_router.errors import UncheckableBody
from extproc_router.signals.pii_numbers import Numbers
from extproc_router.signals.pii_page import legible, masked, shown
from extproc_router.signals.pii_types import (
    CARD,
    EMAIL,
    IBAN,
    IP,
    PERSONAL,
    PHONE,
    SECRET,
    SSN,
    TooMuch,
    numbers_taken,
)
from extproc_router.types import Replacement, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

_PASSES = 4  # without a name, something beside it may stand free, and then something beside that
_MEMORY = 64 << 20  # bytes that a compiled pattern may use
_MOST, _LONGEST = 256, 1000  # values of a request, characters of a value
MAX_REPLACED = 2000
"""Replacements in one request."""

_LEAST = 2  # letters and digits in a value: one letter alone stands everywhere
_GAP = r"[\s\p{Z}]+"  # between the words of a value


class Redactor:
    """Says what to put where in any text of one request. It counts as it goes: one serves one request.

    Args:
        find: finds personal data by its form in a text, beside what is taken already: sorted, without overlap.
        values: what the encoder's head found, with its type; each is replaced wherever it stands, in whatever case.
        types: those to replace.
        everything: all text of the request. Its own placeholders keep their numbers to themselves, and cards and
            Social Security numbers in it are replaced in any spelling.

    Raises:
        UncheckableBody: there are more values, or longer ones, than are looked for; or `find` gives up.
    """

    def __init__(
        self,
        find: Callable[[str, Sequence[Span]], Sequence[Span]],
        values: Iterable[tuple[str, str]],
        types: frozenset[str],
        everything: str,
    ) -> None:
        self._find = find
        self._types = types
        known = {words: kind for value, kind in values if _is_telling(words := legible(shown(value).text))}
        if len(known) > _MOST or any(len(value) > _LONGEST for value in known):
            raise _too_much()
        self._kinds = {_folded(value): kind for value, kind in known.items()}
        self._pattern = _any_of(known) if known else None
        self._placeholders: dict[tuple[str, str], str] = {}
        self._last = numbers_taken(everything)
        self._left = MAX_REPLACED
        self._numbers = Numbers(types)
        if self._numbers.types:
            self._numbers.learn(everything, self._formed(everything, ()))

    def __call__(self, text: str) -> tuple[Replacement, ...]:
        """Return what to replace in a text: in order, without overlap; nothing in one that was redacted before.

        Raises:
            UncheckableBody: there is more than is looked through, here or in all texts together.
        """
        spans: list[Span] = []
        for _ in range(_PASSES):
            formed = self._formed(text, spans)
            self._numbers.learn(text, formed)
            formed = sorted((*formed, *self._numbers.find(text, (*spans, *formed))), key=_start)
            fresh = _joined(formed, [*self._named(text, spans)])
            if not fresh:
                break
            spans += fresh
            if self._pattern is None:
                break  # by form, everything was found at once
        spans = sorted((span for span in spans if span.type in self._types), key=_start)
        self._left -= len(spans)
        if self._left < 0:
            raise _too_much()
        return tuple(
            Replacement(span.start, span.end, self._placeholder(span.type, text[span.start : span.end]))
            for span in spans
        )

    def _formed(self, text: str, taken: Sequence[Span]) -> Sequence[Span]:
        try:
            return self._find(text, taken)
        except TooMuch:
            raise _too_much() from None

    def _named(self, text: str, taken: Sequence[Span]) -> Iterator[Span]:
        """Yield where the values stand, beside what is taken."""
        if self._pattern is None:
            return
        seen = shown(masked(text, taken))
        page = _well_formed(legible(seen.text))
        for match in self._pattern.finditer(page):
            start, end = match.span()
            if _is_whole(page, start, end):
                yield Span(*seen.span(start, end), self._kinds.get(_folded(match[0]), PERSONAL[0]), 1.0)

    def _placeholder(self, kind: str, value: str) -> str:
        key = kind, _normal(kind, value)
        placeholder = self._placeholders.get(key)
        if placeholder is None:
            number = self._last[kind] = self._last.get(kind, 0) + 1
            placeholder = self._placeholders[key] = f"<{kind}_{number}>"
        return placeholder


def _too_much() -> UncheckableBody:
    return UncheckableBody("This body cannot be checked: it holds more personal data than is looked through.")


def _is_telling(value: str) -> bool:
    return sum(map(str.isalnum, value)) >= _LEAST and "\0" not in value


def _folded(value: str) -> str:
    return " ".join(legible(value).split()).casefold()


def _normal(kind: str, value: str) -> str:
    """Return what two spellings of one value have in common."""
    value = unicodedata.normalize("NFKC", shown(value).text)
    if kind == SECRET:
        return value
    if kind in {PHONE, CARD, IBAN, SSN}:
        return "".join(filter(str.isalnum, value.casefold()))
    return value.casefold() if kind in {EMAIL, IP} else _folded(value)


def _any_of(values: Collection[str]) -> re2.Pattern:
    options = re2.Options()
    options.longest_match = True
    options.case_sensitive = False
    options.max_mem = _MEMORY
    options.log_errors = False  # the pattern is a client's text
    words = (_well_formed(value).split() for value in values)
    return re2.compile("|".join(_GAP.join(map(re2.escape, value)) for value in words), options)


def _well_formed(text: str) -> str:
    """Return the text with `?` for lone surrogates, which UTF-8 cannot write."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether [start, end) begins and ends with a word; in scripts without case, words are not told apart."""
    begins = start == 0 or not (_is_of_word(text[start - 1]) and _is_of_word(text[start]))
    return begins and (end == len(text) or not (_is_of_word(text[end - 1]) and _is_of_word(text[end])))


def _is_of_word(character: str) -> bool:
    return character.isdigit() or character.islower() or character.isupper() or character == "_"


def _joined(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """Put both together; of spans that overlap make one, of the type of the one in `first`."""
    joined: list[Span] = []
    ranked = [*((span, 1.0) for span in first), *((span, 0.0) for span in second)]
    weight = 0.0
    for span, mine in sorted(ranked, key=lambda pair: pair[0].start):
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            kind = span.type if mine > weight else last.type
            joined.append(Span(last.start, max(last.end, span.end), kind, 1.0))
            weight = max(weight, mine)
        else:
            joined.append(span)
            weight = mine
    return joined


def _start(span: Span) -> int:
    return span.start
