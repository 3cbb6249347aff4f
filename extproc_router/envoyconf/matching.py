"""Whether a route of an envoy.yaml takes a request, as Envoy would say it; None where the file alone cannot tell.

Source of the rules: `RouteMatch`, `HeaderMatcher` and `StringMatcher` of Envoy's API, v3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf import patterns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.envoyconf.place import Place

_PATHS = ("prefix", "path", "safe_regex", "path_separated_prefix")
_READ = {*_PATHS, "headers", "case_sensitive", "grpc", "connect_matcher"}
# What some requests fulfil and others do not; whatever else a match may say is not understood.
_VARIES = {"query_parameters", "cookies", "runtime_fraction"}
_TRUTHS = ("invert_match", "treat_missing_header_as_empty", "present_match")
_STRINGS = ("exact", "prefix", "suffix", "contains", "safe_regex")


class Sample(Struct, frozen=True):
    """A request of which some is known.

    Attributes:
        path: without query.
        headers: name -> value, None where the header is absent. Of any other header nothing is known.
    """

    path: str
    headers: Mapping[str, str | None]


def takes(match: Place, sample: Sample) -> bool | None:
    """Judge a `RouteMatch`."""
    # Neither gRPC nor CONNECT is spoken to a model.
    if match.get("grpc").present or match.get("connect_matcher").present:
        return False
    known = [path(match, sample.path), *(_sampled(matcher, sample.headers) for matcher in match.each("headers"))]
    if _fields(match) - _READ:
        known.append(None)
    return _all(known)


def opaque(match: Place) -> bool:
    """Whether a `RouteMatch` has conditions that are not understood here, beside those that depend on the request."""
    return bool(_fields(match) - _READ - _VARIES)


def string(matcher: Place, value: str) -> bool | None:
    """Judge a `StringMatcher`."""
    if matcher.get("safe_regex").present:
        return _regex(matcher.get("safe_regex"), value)
    if matcher.get("ignore_case").present and matcher.get("ignore_case").truth() is None:
        return None
    fold = matcher.get("ignore_case").truth() is True
    return next(
        (_plain(kind, matcher.get(kind), value, fold=fold) for kind in _STRINGS if matcher.get(kind).present), None
    )


def header(matcher: Place, value: str | None) -> bool | None:
    """Judge a `HeaderMatcher` for the value of its header, None where the header is absent."""
    if any(place.present and place.truth() is None for place in map(matcher.get, _TRUTHS)):
        return None
    invert = matcher.get("invert_match").truth() is True
    if value is None and matcher.get("treat_missing_header_as_empty").truth() is True:
        value = ""
    present = matcher.get("present_match")
    specifiers = set(matcher.value) - {"name", "invert_match", "invertMatch"}
    if present.present or not specifiers - {"treat_missing_header_as_empty", "treatMissingHeaderAsEmpty"}:
        return ((value is not None) == (present.truth() is not False)) != invert
    if value is None:  # a missing header has no value that could match, inverted or not
        return False
    held = _header_value(matcher, value)
    return None if held is None else held != invert


def path(match: Place, asked: str) -> bool | None:
    """Judge the path condition of a `RouteMatch`."""
    fold = match.get("case_sensitive").truth() is False
    if match.get("safe_regex").present:
        return _regex(match.get("safe_regex"), asked)
    if match.get("path").present:
        return _plain("exact", match.get("path"), asked, fold=fold)
    if match.get("path_separated_prefix").present:
        prefix = match.get("path_separated_prefix")
        ends = isinstance(prefix.value, str) and len(asked) > len(prefix.value) and asked[len(prefix.value)] != "/"
        return False if ends else _plain("prefix", prefix, asked, fold=fold)
    return _plain("prefix", match.get("prefix"), asked, fold=fold)


def _sampled(matcher: Place, headers: Mapping[str, str | None]) -> bool | None:
    name = matcher.text("name").lower()
    return header(matcher, headers[name]) if name in headers else None


def _header_value(matcher: Place, value: str) -> bool | None:
    if matcher.get("string_match").present:
        return string(matcher.get("string_match"), value)
    if matcher.get("safe_regex_match").present:
        return _regex(matcher.get("safe_regex_match"), value)
    old = ((kind, matcher.get(f"{kind}_match")) for kind in _STRINGS)
    return next((_plain(kind, place, value, fold=False) for kind, place in old if place.present), None)


def _plain(kind: str, place: Place, value: str, *, fold: bool) -> bool | None:
    wanted = place.value
    if not isinstance(wanted, str):
        return None
    if fold:
        wanted, value = wanted.lower(), value.lower()
    return {
        "exact": value == wanted,
        "prefix": value.startswith(wanted),
        "suffix": value.endswith(wanted),
        "contains": wanted in value,
    }[kind]


def _regex(place: Place, value: str) -> bool | None:
    try:
        return patterns.compiled(place.get("regex").value).fullmatch(value) is not None
    except patterns.BadPattern:  # Envoy does not start with it
        return None


def _all(known: Iterable[bool | None]) -> bool | None:
    answers = set(known)
    return False if False in answers else None if None in answers else True


def _fields(match: Place) -> set[str]:
    return {_snake(str(field)) for field in match.value} if isinstance(match.value, dict) else set()


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
