"""What pydantic says of a file's shape, in our words, with our lines."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from extproc_router import options
from extproc_router.config import endpoint_schema, fields, schema, signal_schema, verifier_schema
from extproc_router.config.meaning import did_you_mean
from extproc_router.signals import matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from extproc_router.config.document import Document
    from extproc_router.types import Mistake

_MEMBER_OF_VARIANT = {"signals": "kind", "use": "pick"}
_WORDS = {
    "missing": "missing",
    "string_type": "expected text",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "list_type": "expected a list",
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "string_too_short": "at least {min_length} characters are needed",
    "string_too_long": "longer than {max_length} characters",
    "too_short": "at least {min_length} entries are needed",
    "too_long": "more than {max_length} entries",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:.15g}",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be at most {le:.15g}",
    "literal_error": "expected {expected}",
}
_NO_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")
_RE2_LACKS = {
    "invalid perl operator": " (RE2 has no look-around and no atomic groups)",
    "invalid escape sequence: \\": " (RE2 has no back-references)",
}
_HEADER = "a header's name in lower case"


def _pattern(written: Any) -> str:  # noqa: ANN401 - an annotated type, or a field
    notes = getattr(written, "__metadata__", None) or written.metadata
    return str(next(note.pattern for note in notes if getattr(note, "pattern", None)))


_ADDRESS = "expected HOST:PORT or unix:/PATH (93 characters at most)"
_KEY = f"`header:NAME` with {_HEADER}"
_PATTERNS = {
    _pattern(written): words
    for written, words in (
        (options.Name, "expected text without control characters, and without blanks at its ends"),
        (options.ClusterName, "a cluster's name has letters, digits and _ . : / | - alone, a letter or digit first"),
        (options.HeaderName, f"expected {_HEADER}, such as x-tenant"),
        (options.Key, f"expected `conversation`, `request`, or {_KEY}"),
        (signal_schema.SignalName, "a signal's name has letters, digits, _ and - alone, a letter first"),
        (schema.Routing.model_fields["sticky_by"], f"expected `conversation`, `none`, or {_KEY}"),
        (endpoint_schema.Listened, "expected IP:PORT, such as 0.0.0.0:8080"),
        (endpoint_schema.Reached, _ADDRESS),
        (endpoint_schema.ReachedWorkers, f"{_ADDRESS}, with {{worker}} for a worker's index"),
        (endpoint_schema.ClusterEndpoint.model_fields["ca"], "expected the whole path of a file"),
        (endpoint_schema.ClusterEndpoint.model_fields["host"], "expected the name of a host"),
        (endpoint_schema.ClusterEndpoint.model_fields["health_path"], "expected a path, such as /health, or nothing"),
        (matcher.Matcher.model_fields["url"], "expected http://HOST:PORT, perhaps with a path, and nothing else"),
        (verifier_schema.Phrase, "expected words: two letters or digits side by side at least"),
    )
} | {"^[A-Z]{2}$": "expected two capital letters"}


def mistakes(document: Document, error: ValidationError, root: type[BaseModel] = schema.File) -> Iterator[Mistake]:
    """Yield one mistake for each thing that is wrong.

    Args:
        document: the file.
        error: what pydantic says of it.
        root: what the whole file was checked as.
    """
    for detail in error.errors(include_url=False):
        yield _mistake(document, detail, root)


def empties(document: Document) -> Iterator[Mistake]:
    """Yield a mistake for each value that is left empty: `when:` with nothing behind it is a condition or a lapse."""
    yield from _empties(document, document.data, ())


def _empties(document: Document, value: object, path: tuple[str | int, ...]) -> Iterator[Mistake]:
    if value is None:
        yield document.mistake(path, "empty: give it a value, or leave it out")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _empties(document, inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _empties(document, inner, (*path, index))


def _mistake(document: Document, detail: ErrorDetails, root: type[BaseModel]) -> Mistake:
    path, kind = path_in(document.data, detail["loc"]), detail["type"]
    if kind == "extra_forbidden":
        known = fields.known_at(detail["loc"][:-1], root)
        return document.mistake(path, f"unknown field{did_you_mean(path[-1], known) or _there_is(known)}")
    if kind == "union_tag_invalid":
        return _unknown_variant(document, path, detail)
    return document.mistake(path, _said(detail) + _hint(detail))


def path_in(data: Any, location: tuple[str | int, ...]) -> tuple[str | int, ...]:  # noqa: ANN401 - plain data
    """Turn one of pydantic's locations into a path of the file: the names of variants are in no file."""
    path: list[str | int] = []
    for part in location:
        if _holds(data, part):
            data = data[part]
        elif fields.is_variant(part):
            continue
        path.append(part)
    return tuple(path)


def _holds(data: object, part: str | int) -> bool:
    return (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int))


def _said(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context["pattern"]), f"does not match {context['pattern']}")
    if kind in ("too_short", "string_too_short") and context["min_length"] == 1:
        return "must not be empty"
    if kind in _WORDS:
        return _WORDS[kind].format(**context)
    return detail["msg"].removeprefix("Value error, ")


def _hint(detail: ErrorDetails) -> str:
    """Say what YAML or RE2 makes of what was written, where people expect another thing."""
    kind, given = detail["type"], detail["input"]
    if kind == "string_type":
        return _text_hint(given, is_label="[labels]" in detail["loc"])
    if kind == "bool_type" and given in ("yes", "no", "on", "off", "true", "false"):
        return ", without quotes"
    if kind in ("float_type", "int_type") and isinstance(given, str) and _NO_NUMBER.fullmatch(given):
        return " (YAML reads this as text: write it without quotes and without exponent)"
    if kind == "literal_error":
        return did_you_mean(given, _quoted(detail["ctx"]["expected"]))
    if kind == "value_error":
        return next((hint for reason, hint in _RE2_LACKS.items() if reason in detail["msg"]), "")
    return ""


def _text_hint(given: object, *, is_label: bool) -> str:
    if isinstance(given, bool):
        return " (YAML reads a bare yes, no, on or off as true or false: put it in quotes)"
    if isinstance(given, date):
        return " (YAML reads this as a date: put it in quotes)"
    if isinstance(given, int | float):
        return ": put the number in quotes"
    if isinstance(given, dict) and is_label:
        return ": conditions are listed under `all` and `any` alone"
    return ""


def _unknown_variant(document: Document, path: tuple[str | int, ...], detail: ErrorDetails) -> Mistake:
    """Say that a `kind` or a `pick` is none; or that what stands there is of no shape that could be meant."""
    given = detail["input"]
    member = _MEMBER_OF_VARIANT.get(next(str(part) for part in reversed(path) if not isinstance(part, int)))
    if member is None:
        return document.mistake(path, "of no shape that is known here")
    if not isinstance(given, dict):
        wanted = "a model, a list of models, or a strategy such as {pick: cheapest_above, quality: 0.7}"
        return document.mistake(path, f"expected {wanted if member == 'pick' else 'a mapping'}")
    choices = [name.strip("[]") for name in _quoted(detail["ctx"]["expected_tags"])]
    choices = [name for name in choices if name not in ("model", "models")]
    if member not in given:
        return document.mistake(path, f"{member!r} is missing{_there_is(choices)}")
    near = did_you_mean(given[member], choices) or _there_is(choices)
    return document.mistake((*path, member), f"unknown {member} {given[member]!r}{near}")


def _quoted(listed: str) -> list[str]:
    return re.findall(r"'([^']*)'", listed)


def _there_is(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"; there is {listed}" if listed else ""
