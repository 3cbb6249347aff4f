"""Envoy's header mutations on concrete headers, as measured on Envoy 1.40 (tests/envoy/test_hunt.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from extproc_router.lab.hunt.envoy_matchers import only, string

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.lab.hunt.envoy_matchers import Headers, Message

_CEL = re2.compile(r"%CEL\(request\.headers\['([^']+)'\]\)%")
_FIRST = re2.compile(r"%REQ(?:UEST_HEADER)?\(([^)?:]+)\)%")


def apply(mutations: Sequence[Message], headers: Headers) -> None:
    """Apply `config.common.mutation_rules.v3.HeaderMutation`s in order.

    Names to remove are found in any case; a `key_matcher` reads the lower-case name, and `X-` begins none.
    """
    for mutation in mutations:
        only(mutation, frozenset({"remove", "remove_on_match", "append"}), "HeaderMutation")
        if "remove" in mutation:
            headers.pop(mutation["remove"].lower(), None)
        elif "append" in mutation:
            _append(mutation["append"], headers)
        else:
            matcher = mutation["remove_on_match"]["key_matcher"]
            for name in [name for name in headers if string(matcher, name)]:
                del headers[name]


def _append(option: Message, headers: Headers) -> None:
    only(option, frozenset({"header", "append_action", "keep_empty_value"}), "HeaderValueOption")
    name = option["header"]["key"].lower()
    value = _formatted(option["header"].get("value", ""), headers)
    if not value and not option.get("keep_empty_value"):
        return
    match option.get("append_action", "APPEND_IF_EXISTS_OR_ADD"):
        case "APPEND_IF_EXISTS_OR_ADD":
            headers.setdefault(name, []).append(value)
        case "ADD_IF_ABSENT":
            headers.setdefault(name, [value])
        case "OVERWRITE_IF_EXISTS_OR_ADD":
            headers[name] = [value]
        case "OVERWRITE_IF_EXISTS":
            if name in headers:
                headers[name] = [value]
        case other:
            raise NotImplementedError(f"append_action: {other}")


def _formatted(value: str, headers: Headers) -> str:
    """Expand what may stand for a header: CEL joins repeated ones with a comma, REQ gives the first; absent: empty."""
    if found := _CEL.fullmatch(value):
        return ",".join(headers.get(found[1].lower(), ()))
    if found := _FIRST.fullmatch(value):
        return next(iter(headers.get(found[1].lower(), ())), "")
    if "%" in value:
        raise NotImplementedError("a formatted header value")
    return value
