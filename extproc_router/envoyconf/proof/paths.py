"""All paths there are, parted so that no condition of a route tells two paths of one part from each other.

A part is a prefix that some route names, without what longer prefixes and whole paths take from it; or one whole path.
Sets of parts are the bits of an integer. Source of the rules: `RouteMatch` of Envoy's API, v3; queries do not count.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING
from urllib.parse import unquote

from msgspec import Struct

from extproc_router.dialects import DIALECTS, models_list
from extproc_router.envoyconf import patterns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.envoyconf.place import Place

_API_PATHS = tuple(path + slash for dialect in DIALECTS for path in dialect.paths for slash in ("", "/"))
_LAST = "\U0010ffff"
_ESCAPE = 3  # characters of %2F
_SPECIFIERS = ("prefix", "path", "safe_regex", "path_separated_prefix", "path_match_policy", "connect_matcher")


class Taken(Struct, frozen=True):
    """Parts of which a condition takes every path, and of which it may take some."""

    surely: int
    possibly: int


class Parts:
    """The parts for the routes of one virtual host.

    Args:
        matches: what these routes match, each as `message.members` reads it.
    """

    def __init__(self, matches: Iterable[dict[str, Place]]) -> None:
        # Whatever begins with no slash is a part of its own. All of that but CONNECT, Envoy answers itself, with 400 or
        # 404 (measured, 1.40): `connect_matcher` alone takes it.
        found = {("", False), ("/", False)}
        for match in matches:
            found.update(_literals(match))
        self._parts = sorted(found)
        self._texts = [text for text, _ in self._parts]
        self.all = (1 << len(self._parts)) - 1
        self._rooted = self.all & ~(1 << self._parts.index(("", False)))
        self.api = self._rooted & sum(1 << place for place, part in enumerate(self._parts) if _may_be_api(*part))

    def taken(self, match: dict[str, Place]) -> Taken:
        """Say which paths the path condition of a route takes."""
        specifiers = [name for name in _SPECIFIERS if name in match]
        place = match.get(specifiers[0]) if len(specifiers) == 1 else None
        if place is None or specifiers[0] == "connect_matcher":
            return Taken(0, self.all)
        taken = Taken(0, self.all)
        if specifiers[0] == "safe_regex":
            taken = self._regex(place.get("regex").value)
        elif "case_sensitive" in match and match["case_sensitive"].truth() is None:
            pass  # Envoy does not start with it
        elif specifiers[0] != "path_match_policy" and isinstance(place.value, str) and place.value.isascii():
            taken = Taken(*self._plain(specifiers[0], place.value, fold=_folds(match)))
        return Taken(taken.surely & self._rooted, taken.possibly & self._rooted)

    def shown(self, parts: int) -> str:
        """Return a path of one of some parts, as people write it; empty where any path will do."""
        texts = [
            text + "..." * (not is_whole) for place, (text, is_whole) in enumerate(self._parts) if parts >> place & 1
        ]
        return "" if "/..." in texts or not texts else texts[0]

    def _plain(self, kind: str, wanted: str, *, fold: bool) -> tuple[int, int]:
        if kind == "path_separated_prefix":
            whole, below = self._plain("path", wanted, fold=fold), self._plain("prefix", f"{wanted}/", fold=fold)
            return whole[0] | below[0], whole[1] | below[1]
        if fold:
            return self._folded(kind, wanted.lower())
        if kind == "path":
            taken = 1 << self._parts.index((wanted, True), bisect_left(self._texts, wanted))
        else:
            first, last = bisect_left(self._texts, wanted), bisect_left(self._texts, wanted + _LAST)
            taken = (1 << last) - (1 << first)
        return taken, taken

    def _folded(self, kind: str, wanted: str) -> tuple[int, int]:
        surely = possibly = 0
        for place, (text, is_whole) in enumerate(self._parts):
            lower = text.lower()
            if kind == "prefix" and lower.startswith(wanted):
                surely |= 1 << place
            elif lower == wanted if is_whole else wanted.startswith(lower):
                surely |= is_whole << place
                possibly |= 1 << place
        return surely, surely | possibly

    def _regex(self, regex: object) -> Taken:
        if regex == ".*":
            return Taken(self.all, self.all)
        try:
            pattern = patterns.compiled(regex)
        except patterns.BadPattern:  # Envoy does not start with it
            return Taken(0, self.all)
        surely = possibly = 0
        for place, (text, is_whole) in enumerate(self._parts):
            held = pattern.fullmatch(text) is not None if is_whole else regex == "/.*" and text.startswith("/")
            surely |= held << place
            possibly |= (held or not is_whole) << place
        return Taken(surely, possibly)


def _literals(match: dict[str, Place]) -> list[tuple[str, bool]]:
    """Return the prefixes, and the whole paths (True), that a route names."""
    found = []
    for name in ("prefix", "path", "path_separated_prefix"):
        wanted = match[name].value if name in match else None
        if not isinstance(wanted, str):
            continue
        if name != "path":
            found.append((wanted + "/" * (name == "path_separated_prefix"), False))
        if name != "prefix":
            found.append((wanted, True))
    return found


def _folds(match: dict[str, Place]) -> bool:
    return "case_sensitive" in match and match["case_sensitive"].truth() is False


def _may_be_api(text: str, is_whole: bool) -> bool:  # noqa: FBT001 - a part, as it is kept
    """Whether the router may read a path of this part as an API's, once it has decoded it."""
    bare = unquote(text)
    if bare.startswith(models_list.PATH):
        return True
    if is_whole:
        return bare in _API_PATHS
    cut = text.rfind("%", -_ESCAPE + 1)  # an escape that goes on behind the prefix
    bare = unquote(text[:cut]) if cut >= 0 else bare
    return any(path.startswith(bare) for path in (*_API_PATHS, models_list.PATH))
