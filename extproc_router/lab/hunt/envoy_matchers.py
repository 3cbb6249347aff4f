"""Envoy's matchers on concrete values, as measured on Envoy 1.40 (tests/envoy/test_hunt.py).

Whatever stands in a message and is not known here raises NotImplementedError: the model never guesses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

Message: TypeAlias = Mapping[str, Any]
Headers: TypeAlias = dict[str, list[str]]
"""Lower-case names, pseudo headers too; the values of a repeated header stand apart."""

_KINDS = frozenset({"exact", "prefix", "suffix", "contains", "safe_regex"})
_OLD_KINDS = {
    "exact_match": "exact",
    "prefix_match": "prefix",
    "suffix_match": "suffix",
    "contains_match": "contains",
    "safe_regex_match": "safe_regex",
}
_VALUE_KINDS = frozenset({"string_match", "range_match", "present_match", *_OLD_KINDS})


def only(message: Message, known: frozenset[str], what: str) -> None:
    """Raise NotImplementedError where a message has a member that is not known."""
    if unknown := message.keys() - known:
        raise NotImplementedError(f"{what}: {min(unknown)}")


def string(matcher: Message, value: str) -> bool:
    """`type.matcher.v3.StringMatcher`."""
    only(matcher, _KINDS | {"ignore_case"}, "StringMatcher")
    [kind] = _KINDS & matcher.keys()
    wanted = matcher[kind]
    if kind == "safe_regex":
        return re2.fullmatch(wanted["regex"], value) is not None
    if matcher.get("ignore_case"):
        wanted, value = wanted.lower(), value.lower()
    match kind:
        case "exact":
            return bool(value == wanted)
        case "prefix":
            return value.startswith(wanted)
        case "suffix":
            return value.endswith(wanted)
        case _:
            return wanted in value


def header(matcher: Message, headers: Headers) -> bool:
    """`config.route.v3.HeaderMatcher`.

    A value matches where any occurrence of the header does; inverted, where none does. An absent header matches no
    value, inverted or not, unless it is treated as empty.
    """
    only(matcher, _VALUE_KINDS | {"name", "invert_match", "treat_missing_header_as_empty"}, "HeaderMatcher")
    name = matcher["name"].lower()
    values = headers.get(":authority" if name == "host" else name, [])
    if not values and matcher.get("treat_missing_header_as_empty"):
        values = [""]
    inverted = bool(matcher.get("invert_match"))
    kinds = _VALUE_KINDS & matcher.keys()
    if not kinds or "present_match" in kinds:
        return bool((bool(values) == matcher.get("present_match", True)) != inverted)
    [kind] = kinds
    return bool(values) and any(_value(kind, matcher[kind], value) for value in values) != inverted


def _value(kind: str, wanted: Any, value: str) -> bool:  # noqa: ANN401 - a oneof
    if kind == "range_match":
        is_number = value.removeprefix("-").isascii() and value.removeprefix("-").isdigit()
        return is_number and int(wanted.get("start", 0)) <= int(value) < int(wanted.get("end", 0))
    return string(wanted if kind == "string_match" else {_OLD_KINDS[kind]: wanted}, value)


def query(matcher: Message, parameters: Sequence[tuple[str, str]]) -> bool:
    """`config.route.v3.QueryParameterMatcher`: of a repeated parameter, the first value counts."""
    only(matcher, frozenset({"name", "string_match", "present_match"}), "QueryParameterMatcher")
    value = next((value for name, value in parameters if name == matcher["name"]), None)
    if "string_match" in matcher:
        return value is not None and string(matcher["string_match"], value)
    return bool((value is not None) == matcher.get("present_match", True))


_PATHS = frozenset({"prefix", "path", "safe_regex", "path_separated_prefix"})


def route(match: Message, headers: Headers) -> bool:
    """`config.route.v3.RouteMatch`: all that it says holds. Paths are compared without their query."""
    only(match, _PATHS | {"case_sensitive", "headers", "query_parameters"}, "RouteMatch")
    path, _, text = headers[":path"][0].partition("?")
    [kind] = _PATHS & match.keys()
    wanted = match[kind]
    if not match.get("case_sensitive", True) and kind != "safe_regex":
        path, wanted = path.lower(), wanted.lower()
    match kind:
        case "path":
            taken = path == wanted
        case "prefix":
            taken = path.startswith(wanted)
        case "safe_regex":
            taken = re2.fullmatch(wanted["regex"], path) is not None
        case _:
            taken = path == wanted or path.startswith(f"{wanted}/")
    return (
        taken
        and all(header(matcher, headers) for matcher in match.get("headers", ()))
        and all(
            query(matcher, parse_qsl(text, keep_blank_values=True)) for matcher in match.get("query_parameters", ())
        )
    )
