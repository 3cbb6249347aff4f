"""What tests/envoy/test_hunt.py measures on real Envoy, in small."""

from __future__ import annotations

from typing import Any

import pytest

from extproc_router.lab.hunt import envoy_matchers

NAME = "x-t"


def headers(*values: str, path: str = "/") -> dict[str, list[str]]:
    found = {":path": [path], ":authority": ["gateway"]}
    return {**found, NAME: list(values)} if values else found


@pytest.mark.parametrize(
    ("matcher", "taken", "left"),
    [
        ({"exact": "public"}, "public", "Public"),
        ({"exact": "PUBLIC", "ignore_case": True}, "public", "publi"),
        ({"prefix": "pub"}, "public,restricted", "Public"),
        ({"suffix": "ted"}, "public,restricted", "restricted,public"),
        ({"contains": "restr"}, "public,restricted", "RESTRICTED"),
        ({"safe_regex": {"regex": "pub.*"}}, "public,restricted", "republic"),
        ({"safe_regex": {"regex": "(?i)public"}}, "PUBLIC", "public,"),
    ],
)
def test_strings(matcher: dict[str, Any], taken: str, left: str) -> None:
    assert envoy_matchers.string(matcher, taken)
    assert not envoy_matchers.string(matcher, left)


EXACT = {"name": NAME, "string_match": {"exact": "public"}}
INVERTED = {**EXACT, "invert_match": True}
PRESENT = {"name": NAME, "present_match": True}


@pytest.mark.parametrize(
    ("matcher", "values", "matches"),
    [
        (EXACT, ["public"], True),
        (EXACT, ["restricted", "public"], True),
        (EXACT, [], False),
        (INVERTED, ["restricted"], True),
        (INVERTED, ["restricted", "public"], False),
        (INVERTED, [""], True),
        (INVERTED, [], False),
        ({**INVERTED, "treat_missing_header_as_empty": True}, [], True),
        ({**EXACT, "name": "X-T"}, ["public"], True),
        (PRESENT, [""], True),
        (PRESENT, [], False),
        ({**PRESENT, "invert_match": True}, [], True),
        ({**PRESENT, "treat_missing_header_as_empty": True}, [], True),
        ({"name": NAME, "present_match": False}, [], True),
        ({"name": NAME}, [""], True),
        ({"name": NAME, "exact_match": "public"}, ["public"], True),
        ({"name": NAME, "safe_regex_match": {"regex": "p.*"}}, ["public"], True),
        ({"name": NAME, "range_match": {"start": 1, "end": 10}}, ["x", "9"], True),
        ({"name": NAME, "range_match": {"start": 1, "end": 10}}, ["10"], False),
        ({"name": "host", "string_match": {"exact": "gateway"}}, [], True),
    ],
)
def test_headers(matcher: dict[str, Any], values: list[str], matches: bool) -> None:
    assert envoy_matchers.header(matcher, headers(*values)) is matches


@pytest.mark.parametrize(
    ("match", "path", "matches"),
    [
        ({"path": "/a"}, "/a?x=1", True),
        ({"path": "/a"}, "/a/", False),
        ({"path": "/A", "case_sensitive": False}, "/a", True),
        ({"prefix": "/a"}, "/ab", True),
        ({"path_separated_prefix": "/a"}, "/ab", False),
        ({"path_separated_prefix": "/a"}, "/a/b", True),
        ({"safe_regex": {"regex": "/a"}}, "/a/b", False),
        ({"prefix": "/a?x"}, "/a?x=1", False),
        ({"prefix": "/", "query_parameters": [{"name": "x", "string_match": {"exact": "1"}}]}, "/?x=1&x=2", True),
        ({"prefix": "/", "query_parameters": [{"name": "x", "string_match": {"exact": "1"}}]}, "/?x=2&x=1", False),
        ({"prefix": "/", "query_parameters": [{"name": "x"}]}, "/?x", True),
        ({"prefix": "/", "query_parameters": [{"name": "x", "present_match": False}]}, "/?X", True),
        ({"prefix": "/", "headers": [EXACT]}, "/", False),
    ],
)
def test_routes(match: dict[str, Any], path: str, matches: bool) -> None:
    assert envoy_matchers.route(match, headers(path=path)) is matches


@pytest.mark.parametrize("match", [{"prefix": "/", "grpc": {}}, {"prefix": "/", "runtime_fraction": {}}])
def test_what_is_not_known_is_not_guessed(match: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match="RouteMatch"):
        envoy_matchers.route(match, headers())
