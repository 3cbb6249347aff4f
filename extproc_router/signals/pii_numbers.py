"""Cards and Social Security numbers that were found once, in whatever groups their digits stand elsewhere.

`536-22-8726` is known by its form; `536228726` may be any number, unless the request says it in both ways.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from extproc_router.signals.pii_page import masked, page_of, shown
from extproc_router.signals.pii_types import CARD, SSN
from extproc_router.types import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TYPES: Final = frozenset({CARD, SSN})
_GROUP = re.compile(rb"[0-9]+")
# Nine digits or more, with little between any two.
_GROUPED = re.compile(rb"[0-9](?:[\s.\-/_]{0,3}[0-9]){8,}")


class Numbers:
    """The numbers of one request; it learns as it goes.

    Args:
        types: those that shall be replaced.

    Attributes:
        types: of these, those whose numbers it learns.
    """

    def __init__(self, types: frozenset[str]) -> None:
        self.types = types & _TYPES
        self._known: dict[bytes, str] = {}
        self._lengths: tuple[int, ...] = ()

    def learn(self, text: str, spans: Iterable[Span]) -> None:
        """Take in the numbers among what was found in a text."""
        for span in spans:
            if span.type in self.types:
                page = page_of(shown(text[span.start : span.end]).text)
                self._known[b"".join(_GROUP.findall(page))] = span.type
        self._lengths = tuple(sorted({len(digits) for digits in self._known}, reverse=True))

    def find(self, text: str, taken: Sequence[Span]) -> Iterator[Span]:
        """Yield where known numbers stand in a text beside what is taken, in order and without overlap."""
        if not self._known:
            return
        seen = shown(masked(text, taken))
        page = page_of(seen.text)
        for stretch in _GROUPED.finditer(page):
            for start, end, kind in self._within(page, stretch.start(), stretch.end()):
                yield Span(*seen.span(start, end), kind, 1.0)

    def _within(self, page: bytes, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """Yield the places in a stretch of digits at which a known number begins and ends with a group."""
        groups = [match.span() for match in _GROUP.finditer(page, start, end)]
        digits = b"".join(page[first:last] for first, last in groups)
        begins: list[int] = []
        ends: dict[int, int] = {}
        length = 0
        for first, last in groups:
            begins.append(length)
            length += last - first
            ends[length] = last
        reached = 0
        for (first, _), begin in zip(groups, begins, strict=True):
            if begin < reached:
                continue
            for size in self._lengths:
                kind = self._known.get(digits[begin : begin + size])
                if kind and begin + size in ends:
                    reached = begin + size
                    yield first, ends[reached], kind
                    break
