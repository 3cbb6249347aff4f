"""Personal data in a body give way, character by character, to what stands for them (`searchable` says where).

A tool's arguments are often JSON within a string, in which escapes may hide what is searched: such a string is
searched as it is and once more as the JSON that it is.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from extproc_router import json_text
from extproc_router.dialects.edits import Edit, apply
from extproc_router.dialects.literals import offsets
from extproc_router.dialects.searchable import MIN_CHARACTERS, MIN_DIGITS, is_data_url, searchable, too_much
from extproc_router.types import Replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_PIECES: Final = 5_000
"""Strings and numbers that are searched in one body: each search has a price of its own, however short the text."""

MAX_REPLACEMENTS: Final = 2_000
"""In one body: nobody can tell what is meant where so much is left out."""

_DIGIT = re.compile(rb"[0-9]")
_QUOTE = ord('"')
_JSON = msgspec.json.Decoder(Raw)


class _Search:
    """The search, within bounds."""

    def __init__(self, find: Callable[[str], Sequence[Replacement]]) -> None:
        self._find = find
        self._pieces = self._replacements = 0

    def __call__(self, text: str) -> Sequence[Replacement]:
        self._pieces += 1
        if self._pieces > MAX_PIECES:
            raise too_much()
        found = self._find(text)
        self._replacements += len(found)
        if self._replacements > MAX_REPLACEMENTS:
            raise too_much()
        return found


def redactions(body: bytes, find: Callable[[str], Sequence[Replacement]]) -> tuple[Edit, ...]:
    """The edits that put replacements in the place of what is found.

    Members of one object may come to have the same name: of those whose names are personal data of one kind.

    Args:
        body: what a dialect has read, so it is valid JSON.
        find: gets the text of each string, decoded, and the spelling of each number. What it gives, in order and
            without overlaps, replaces these characters within the string; a number becomes a string.

    Returns:
        Edits that touch the found characters only.

    Raises:
        UncheckableBody: there is more to search, or to replace, than the bounds of this module and of `searchable`.
    """
    search = _Search(find)
    return tuple(_edits(body, search, within=False))


def _edits(body: bytes, search: _Search, *, within: bool) -> Iterator[Edit]:
    for start, end in searchable(body, free=within):
        if body[start - 1] != _QUOTE:
            yield from _in_number(body, start, end, search)
        elif end - start >= MIN_CHARACTERS:
            yield from _in_string(body, start, end, search, within=within)


def _in_string(body: bytes, start: int, end: int, search: _Search, *, within: bool) -> list[Edit]:
    literal = body[start:end]
    if is_data_url(literal):
        return []
    text = literal.decode()
    if "\\" in text:
        text = json_text.whole(json.loads(f'"{text}"'))
    if len(text) < MIN_CHARACTERS:
        return []
    found = search(text)
    if not within and "\\u" in text and text.lstrip()[:1] in {"{", "["}:
        found = _joined(_in_json(text, search), found)
    if not found:
        return []
    places = offsets(literal, [place for piece in found for place in (piece.start, piece.end)])
    texts = [json.dumps(piece.text)[1:-1].encode() for piece in found]
    return [
        Edit(start + first, start + last, new)
        for first, last, new in zip(places[::2], places[1::2], texts, strict=True)
    ]


def _in_json(text: str, search: _Search) -> list[Replacement]:
    """What is found in a text that is JSON itself, if it is."""
    spelled = text.encode()
    try:
        _JSON.decode(spelled)
    except (msgspec.DecodeError, RecursionError):
        return []
    found = []
    read = size = 0  # bytes that were counted, and their characters
    for edit in _edits(spelled, search, within=True):
        begin = size + len(spelled[read : edit.start].decode())
        size = begin + len(spelled[edit.start : edit.end].decode())
        read = edit.end
        found.append(Replacement(begin, size, edit.text.decode()))
    return found


def _joined(found: list[Replacement], others: Sequence[Replacement]) -> list[Replacement]:
    """What was found, and of the others those that touch nothing of it."""
    ends = [piece.end for piece in found]
    more = []
    for other in others:
        place = bisect_left(ends, other.start + 1)
        if place == len(found) or found[place].start >= other.end:
            more.append(other)
    return sorted((*found, *more), key=lambda piece: piece.start)


def _in_number(body: bytes, start: int, end: int, search: _Search) -> list[Edit]:
    spelling = body[start:end]
    found = search(spelling.decode()) if len(_DIGIT.findall(spelling)) >= MIN_DIGITS else ()
    if not found:
        return []
    edits = [Edit(piece.start, piece.end, piece.text.encode()) for piece in found]
    return [Edit(start, end, json.dumps(apply(spelling, edits).decode()).encode())]
