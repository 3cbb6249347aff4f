"""Words and phrases, thousands of them, found in one walk through the text (Aho-Corasick 1975)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from ahocorasick_rs import AhoCorasick
from msgspec import Struct
from pydantic import AfterValidator, Field, StringConstraints

from extproc_router.options import Section
from extproc_router.signals.base import YES, Cost
from extproc_router.signals.lists import Lists, named
from extproc_router.signals.plain import Plain, fact
from extproc_router.signals.texts import Of, spellings, text_of, utf8

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.signals.base import Reader, Resources, Subject
    from extproc_router.types import Signal

MAX_KEYWORDS = 10_000
MAX_HITS = 1 << 20
"""Places that are looked at in one text, a quarter of a second; megabytes of prose have fewer. Beyond it, absent."""

_LONGEST = 200  # characters of a keyword
# Long texts are walked in pieces: hits of one piece are all that is kept at a time. Where letters are decomposed or
# ligatures unfold, a keyword's characters are others than the text's, hence the ample overlap.
_PIECE, _OVERLAP = 8192, 4 * _LONGEST
# Scripts that put no blanks between words, and Hangul, which glues particles to them: a word may begin anywhere.
_UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x2E80, 0xD7FF), (0xF900, 0xFAFF),
             (0x20000, 0x3FFFF))  # fmt: skip
_ASCII_END = 0x80
# What joins the words of a phrase, in the keyword or in the text.
_JOINT = re.compile(r"(?<=[^\W_])[ \-_](?=[^\W_])")
_JOINTS = " -_"
_DASHES = "\u2010\u2012\u2013\u2014\u2212"


def _written(keyword: str) -> str:
    if not any(map(str.isprintable, keyword)) or not tidy(keyword):
        raise ValueError("a keyword of blanks")
    return keyword.strip()


Keyword: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST), AfterValidator(_written)]
_Keywords: TypeAlias = Annotated[list[Keyword], Field(min_length=1, max_length=MAX_KEYWORDS)]


class Options(Section):
    """Words and phrases that are looked for in the text."""

    kind: Annotated[Literal["keyword"], Field(description="words and phrases, found all at once")]
    keywords: Annotated[
        Lists[_Keywords, _Keywords],
        Field(
            description="a list, whose signal is a flag; or several by name, whose labels are the names of those that "
            "hit. The number is how many different keywords were found. Words of a phrase may be joined by any blanks "
            "or line breaks, by `-` or `_`. Wide letters are as plain ones, and signs that are not shown do not count",
            examples=[["merger", "term sheet"], {"legal": ["merger", "term sheet"], "health": ["diagnosis"]}],
        ),
    ]
    of: Of = "prompt"
    ignore_case: Annotated[bool, Field(description="whether `Merger` is `merger`")] = True
    whole_words: Annotated[
        bool,
        Field(
            description="whether `port` is not in `report`. In scripts without blanks between words (Chinese, "
            "Japanese, Thai ...) and in Korean a keyword is found anywhere all the same"
        ),
    ] = True


class Vocabulary(Struct, frozen=True):
    """The keywords, compiled.

    Attributes:
        automaton: finds all of them, overlapping ones too.
        keywords: for each of its spellings, the number of the keyword.
        lists: for each keyword, the names of the lists that it stands in.
        ignore_case: whether case is ignored.
        whole_words: whether a keyword ends where words do.
    """

    automaton: AhoCorasick
    keywords: tuple[int, ...]
    lists: tuple[frozenset[str], ...]
    ignore_case: bool
    whole_words: bool

    def find(self, text: str) -> set[int]:
        """Return which keywords stand in a text, in time linear in its length.

        Raises:
            ValueError: a text, made for it, has more than `MAX_HITS` hits.
        """
        found: set[int] = set()
        seen = 0
        pieces = (piece for spelling in spellings(text) for piece in _pieces(tidy(spelling)))
        for piece, is_first, is_last in pieces:
            folded = fold(piece, ignore_case=self.ignore_case)
            hits = self.automaton.find_matches_as_indexes(folded, overlapping=True)
            seen += len(hits)
            if seen > MAX_HITS:
                raise ValueError(f"a text with more than {MAX_HITS} hits")
            for spelling, start, end in hits:
                number = self.keywords[spelling]
                if number in found:
                    continue
                # At an edge within the text nobody knows what stands beside; the piece before or after shows it.
                if (start == 0 and not is_first) or (end == len(folded) and not is_last):
                    continue
                if not self.whole_words or (is_boundary(folded, start) and is_boundary(folded, end)):
                    found.add(number)
        return found


def build(name: str, options: Options, _: Resources) -> Reader:
    """Build the signal: a flag or one label a list, and how many keywords there were.

    Raises:
        ValueError: there are too many keywords.
    """
    lists = named(options.keywords, YES)
    vocabulary = compiled(lists, ignore_case=options.ignore_case, whole_words=options.whole_words)

    def look(subject: Subject) -> Signal:
        found = vocabulary.find(text_of(subject, options.of))
        labels = frozenset[str]().union(*(vocabulary.lists[number] for number in found))
        return fact(name, labels, float(len(found)))

    return Plain(name, Cost.TEXT, look, known=frozenset(lists), numeric=True)


def compiled(lists: Mapping[str, list[str]], *, ignore_case: bool, whole_words: bool) -> Vocabulary:
    """Compile keywords; ones that case alone tells apart are one where case is ignored.

    Raises:
        ValueError: there are more than `MAX_KEYWORDS`.
    """
    standing: dict[str, set[str]] = {}
    for name, keywords in lists.items():
        for keyword in keywords:
            folded = _JOINT.sub(" ", fold(tidy(keyword), ignore_case=ignore_case))
            standing.setdefault(folded, set()).add(name)
    if len(standing) > MAX_KEYWORDS:
        raise ValueError(f"{len(standing)} keywords; at most {MAX_KEYWORDS} fit into one signal")
    spelt = {spelling: number for number, keyword in enumerate(standing) for spelling in _spelt(keyword)}
    return Vocabulary(
        AhoCorasick(spelt),
        tuple(spelt.values()),
        tuple(map(frozenset, standing.values())),
        ignore_case,
        whole_words,
    )


def tidy(text: str) -> str:
    """Leave out signs that are not shown, and make one blank of each run of blanks, line breaks and separators."""
    return " ".join(spellings(text)[0].split())


def fold(text: str, *, ignore_case: bool) -> str:
    """Bring what counts as the same into one form: letters composed and plain, one hyphen and, perhaps, case."""
    if text.isascii():
        return text.lower() if ignore_case else text  # casefold takes ten times as long
    text = unicodedata.normalize("NFKC", utf8(text).decode())
    for dash in _DASHES:
        text = text.replace(dash, "-")
    # Folding may decompose a letter again (U+01F0 is one).
    return unicodedata.normalize("NFKC", text.casefold()) if ignore_case else text


def _spelt(keyword: str) -> set[str]:
    """Return how a phrase may be joined; a word has one spelling."""
    return {_JOINT.sub(joint, keyword) for joint in _JOINTS}


def is_boundary(text: str, place: int) -> bool:
    """Tell whether a word may begin or end between text[place - 1] and text[place]."""
    if place in (0, len(text)):
        return True
    return not (_is_of_word(text[place - 1]) and _is_of_word(text[place]))


def _is_of_word(character: str) -> bool:
    code = ord(character)
    if character.isalnum() or character == "_":
        return code < _ASCII_END or not any(first <= code <= last for first, last in _UNSPACED)
    # Vowel signs and accents that stay apart belong to the letter before.
    return code >= _ASCII_END and unicodedata.category(character).startswith("M")


def _pieces(text: str) -> Iterator[tuple[str, bool, bool]]:
    """Yield (piece, whether it is the first, whether it is the last); pieces overlap."""
    start = 0
    while len(text) - start > _PIECE:
        yield text[start : start + _PIECE], start == 0, False
        start += _PIECE - _OVERLAP
    yield text[start:] if start else text, start == 0, True
