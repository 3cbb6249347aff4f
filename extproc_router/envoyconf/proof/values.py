"""What is known of a header's value in all requests of a kind, and whether a condition on it holds for them.

Answers have three values: yes for every such request, no for every one, or None: for some, or nobody knows.
Source of the rules: `HeaderMatcher` and `StringMatcher` of Envoy's API, v3.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct, field

from extproc_router.envoyconf import matching
from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof import known
from extproc_router.envoyconf.proof.message import members, strange
from extproc_router.policy import privacy

_STRINGS = ("exact", "prefix", "suffix", "contains", "safe_regex")
_SPECIFIERS = known.HEADER_MATCHER.read - {"name", "invert_match", "treat_missing_header_as_empty"}
_TRUTHS = ("invert_match", "treat_missing_header_as_empty", "present_match")
_SOME_NAMES = re.compile(r"\^?(?:\(\?i\))?\^?(?:\((?:\?:)?)?([A-Za-z0-9_|-]+)\)?\$?")


class Value(Struct, frozen=True):
    """What all requests of a kind have in common.

    Attributes:
        present: whether they have the header; None where some may.
        text: its value, where it is the same in all of them.
        ranks: the values are all those that ask for one rank of privacy, and no others; None where that is not so.
    """

    present: bool | None
    text: str | None = None
    ranks: Ranks | None = None


class Ranks(Struct, frozen=True):
    """The values of `x-privacy-tier` that ask for one rank: any case, blanks and order, joined with commas.

    Attributes:
        rank: which.
        tiers: the config's names, lowest first.
    """

    rank: int
    tiers: tuple[str, ...]

    def within(self, kind: str, wanted: str) -> bool | None:
        """Judge a comparison for all of them. Case is taken to differ at will, which can only turn answers to None."""
        judge = {
            "exact": self._exact,
            "prefix": self._prefix,
            "suffix": self._suffix,
            "contains": self._contains,
            "safe_regex": self._regex,
        }
        return judge[kind](wanted)

    def _exact(self, wanted: str) -> bool | None:
        return None if privacy.tier_of(wanted, self.tiers) == self.rank else False

    def _prefix(self, wanted: str) -> bool | None:
        *whole, cut = wanted.split(",")
        return self._parts(whole, any(name.startswith(_bare(cut)) for name in self._names))

    def _suffix(self, wanted: str) -> bool | None:
        cut, *whole = wanted.split(",")
        return self._parts(whole, any(name.endswith(_bare(cut)) for name in self._names))

    def _contains(self, wanted: str) -> bool | None:
        first, *inner = wanted.split(",")
        return self._parts(inner[:-1], bool(inner) or any(_bare(first) in name for name in self._names))

    def _parts(self, whole: list[str], fits: bool) -> bool | None:  # noqa: FBT001 - whether the rest of it may stand there
        """Judge a value by the names that it surely has; above the highest rank there is nothing."""
        if any(privacy.tier_of(name, self.tiers) > self.rank for name in whole):
            return False
        return None if fits or self._highest else False

    def _regex(self, wanted: str) -> bool | None:
        listed = _SOME_NAMES.fullmatch(wanted)
        if listed and not any(privacy.tier_of(name, self.tiers) == self.rank for name in listed[1].split("|")):
            return False
        # The highest rank has the empty value, too: it may be a misspelt one.
        return True if wanted == ".+" and not self._highest else None

    @property
    def _highest(self) -> bool:
        return self.rank == len(self.tiers) - 1

    @property
    def _names(self) -> list[str]:
        return [name.casefold() for name in self.tiers[: self.rank + 1]]


def _bare(name: str) -> str:
    return name.strip().casefold()


ABSENT = Value(present=False)
ANYTHING = Value(present=None)


class HeaderTest(Struct, frozen=True):
    """A `HeaderMatcher`, read once.

    Attributes:
        place: where it stands.
        name: of the header, lower case.
        kind: how the value is compared; `present` where only presence is asked; empty where it is not understood.
        wanted: what with.
        inverted: whether the answer is turned round.
        answers: value -> what was found for it.
    """

    place: Place
    name: str
    kind: str
    wanted: Any
    inverted: bool
    answers: dict[str | None, bool | None] = field(default_factory=dict)

    @property
    def compares(self) -> bool:
        """Whether the value counts, and not its presence alone."""
        return self.kind != "present"

    def judge(self, value: Value) -> bool | None:
        """Say whether it holds for all requests of a kind, for none, or for some (None)."""
        if not self.kind or value.present is None:
            return None
        if not value.present or value.text is not None:
            return self._of(value.text if value.present else None)
        if self.kind == "present":
            return bool(self.wanted) != self.inverted
        held = _trivial(self.kind, self.wanted)
        if held is None and value.ranks:
            held = value.ranks.within(self.kind, self.wanted)
        return None if held is None else held != self.inverted

    def _of(self, value: str | None) -> bool | None:
        if value not in self.answers:
            self.answers[value] = matching.header(self.place, value)
        return self.answers[value]


def tests(match: dict[str, Place]) -> list[HeaderTest]:
    """Read the conditions on headers of a `RouteMatch`."""
    given = match.get("headers")
    return [] if given is None else [_test(place) for place in given.children()]


def _test(place: Place) -> HeaderTest:
    said = members(place)
    name = said["name"].value.lower() if "name" in said and isinstance(said["name"].value, str) else ""
    inverted = "invert_match" in said and said["invert_match"].truth() is True
    kind, wanted = _comparison(said)
    # Whether a header that is missing is present where missing is empty, Envoy's documents do not say.
    empty = "treat_missing_header_as_empty" in said and kind == "present"
    misread = any(said[name].truth() is None for name in said.keys() & _TRUTHS)
    if empty or misread or any(strange(said, known.HEADER_MATCHER)):
        kind = ""
    return HeaderTest(place, name, kind, wanted, inverted)


def _comparison(said: dict[str, Place]) -> tuple[str, Any]:
    specifiers = said.keys() & _SPECIFIERS
    if not specifiers:
        return "present", True
    if len(specifiers) > 1:  # Envoy refuses it
        return "", None
    [specifier] = specifiers
    place = said[specifier]
    if specifier == "present_match":
        return "present", place.truth() is not False
    if specifier == "string_match":
        return _string(place)
    kind = "safe_regex" if specifier == "safe_regex_match" else specifier.removesuffix("_match")
    return _text(kind, place)


def _string(place: Place) -> tuple[str, Any]:
    said = members(place)
    kinds = [kind for kind in _STRINGS if kind in said]
    if len(kinds) != 1 or any(strange(said, known.STRING_MATCHER)):
        return "", None
    return _text(kinds[0], said[kinds[0]])


def _text(kind: str, place: Place) -> tuple[str, Any]:
    """Return a comparison; one beyond ASCII is not understood: cases are told apart in another way there."""
    value = place.get("regex").value if kind == "safe_regex" else place.value
    return (kind, value) if isinstance(value, str) and value.isascii() else ("", None)


def _trivial(kind: str, wanted: str) -> bool | None:
    """Return True where every value there is fulfils a comparison."""
    everything = wanted == ".*" if kind == "safe_regex" else wanted == "" and kind != "exact"
    return True if everything else None
