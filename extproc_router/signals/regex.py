"""Patterns, up to hundreds, matched in one walk through the text; RE2's time is linear whatever the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import re2  # type: ignore[import-untyped]  # google-re2 ships no types
from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import patterns
from extproc_router.signals.base import YES, Cost
from extproc_router.signals.lists import MAX_LISTS, Lists, named
from extproc_router.signals.patterns import Pattern
from extproc_router.signals.plain import Plain, fact
from extproc_router.signals.texts import Of, spellings, text_of, utf8

if TYPE_CHECKING:
    from typing import Any

    from extproc_router.signals.base import Reader, Resources, Subject
    from extproc_router.types import Signal

MAX_PATTERNS = 500
MAX_INSTRUCTIONS = 50_000
"""Of all patterns together, as RE2 counts them; a word takes about as many as it has letters."""
MAX_BYTES = 4 << 20
"""Of the text; a million tokens. Beyond it the signal is absent rather than half read."""

MAX_WORK = 64 << 20
"""Bytes of the text times what the patterns count (`x{0,200}` counts to 200); likewise.

A text made for it takes RE2 some 10 ns of that product: after each `a`, `a.{0,200}b` keeps another count in mind.
Patterns that do not count take 2 ns a byte, whatever the text.
"""

_COUNTED = re.compile(r"\{(\d+)(?:,(\d*))?\}")


class Options(Section):
    """Regular expressions that are looked for in the text."""

    kind: Annotated[Literal["regex"], Field(description="RE2 patterns, matched all at once")]
    patterns: Annotated[
        Lists[Annotated[list[Pattern], Field(min_length=1, max_length=MAX_PATTERNS)], Pattern],
        Field(
            description="a list, whose signal is a flag; or patterns by name, whose labels are the names of those "
            "that match. The number is how many match. A text with signs that are not shown (soft hyphens, "
            "zero-width blanks) is read as it is, without them, and with blanks for them. RE2 syntax: `(?i)` ignores "
            "case, `(?s)` lets `.` match line breaks; there is no look-around. Between two words write `.*`: with a "
            "counted gap such as `.{0,200}` texts that repeat the first word are slow to read, so that the signal is "
            f"absent for texts of a third of a megabyte already instead of {MAX_BYTES >> 20} MB. At most {MAX_LISTS} "
            "names",
            examples=[
                [r"(?i)\bproject\s+titan\b"],
                {"ticket": r"\b[A-Z]{2,5}-\d+\b", "sql": r"(?i)\bselect\b.*\bfrom\b"},
            ],
        ),
    ]
    of: Of = "prompt"


def build(name: str, options: Options, _: Resources) -> Reader:
    """Build the signal: a flag or one label a pattern, and how many match.

    Raises:
        ValueError: the patterns are too large together.
    """
    names, regexes = _flat(named(options.patterns, YES))
    matcher = compiled(regexes)
    most = min(MAX_BYTES, MAX_WORK // max(1, sum(map(counted, regexes))))

    def look(subject: Subject) -> Signal:
        found = set[int]()
        text = text_of(subject, options.of)
        for spelling in dict.fromkeys((text, *spellings(text))):
            raw = utf8(spelling)
            if len(raw) > most:
                raise ValueError(f"a text of more than {most} bytes")
            found.update(matcher.Match(raw) or ())
        return fact(name, {names[number] for number in found}, float(len(found)))

    return Plain(name, Cost.TEXT, look, known=frozenset(names), numeric=True)


def compiled(regexes: list[str]) -> Any:  # noqa: ANN401 - re2 has no types
    """Compile patterns into one set; its `Match` returns the places of those that match, or None.

    A set that compiles never fails on a text: RE2 tries its automaton before it hands the set out.

    Raises:
        ValueError: they are too large together.
    """
    size = sum(patterns.compiled(regex).programsize for regex in regexes)
    if size > MAX_INSTRUCTIONS:
        raise ValueError(f"the patterns are too large together: {size} RE2 instructions, at most {MAX_INSTRUCTIONS}")
    matcher = re2.Set.SearchSet(patterns.options())
    for regex in regexes:
        matcher.Add(regex)
    try:
        matcher.Compile()
    except re2.error as error:
        raise ValueError(
            f"the patterns are too large together: {patterns.MAX_MEMORY} bytes do not hold them"
        ) from error
    return matcher


def counted(regex: str) -> int:
    """Return how far a pattern counts, over all of its `x{n}`, `x{n,}` and `x{n,m}`."""
    return sum(int(most or least) for least, most in _COUNTED.findall(regex))


def _flat(written: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the name and the expression of each pattern."""
    pairs = [
        (name, regex) for name, given in written.items() for regex in (given if isinstance(given, list) else [given])
    ]
    return [name for name, _ in pairs], [regex for _, regex in pairs]
