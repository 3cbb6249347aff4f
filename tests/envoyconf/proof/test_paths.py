from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc_router.envoyconf import matching
from extproc_router.envoyconf.matching import Sample
from extproc_router.envoyconf.proof.message import members
from extproc_router.envoyconf.proof.paths import Parts

if TYPE_CHECKING:
    from tests.envoyconf.conftest import Read
    from tests.envoyconf.proof.conftest import Said


def parts_of(path: str, literals: list[tuple[str, bool]]) -> tuple[str, bool]:
    """The part that a path belongs to, by the definition."""
    if (path, True) in literals:
        return path, True
    return max((text, whole) for text, whole in literals if not whole and path.startswith(text))


PATHS = st.sampled_from(["/", "/v1", "/v1/", "/V1/chat", "/v1/chat/completions", "/v1x", "/a", "/a/b", "/A"])
MATCHES = st.one_of(
    st.builds(
        lambda kind, path, case: {kind: path} if case is None else {kind: path, "case_sensitive": case},
        st.sampled_from(["prefix", "path", "path_separated_prefix"]),
        PATHS,
        st.sampled_from([None, True, False]),
    ),
    st.sampled_from([{"safe_regex": {"regex": regex}} for regex in ("/.*", ".*", "/v1(/.*)?", "/[a-z]", "(")]),
)


@given(matches=st.lists(MATCHES, min_size=1, max_size=5), path=PATHS)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_contradicts_what_is_said_of_its_part(read: Read, matches: list[dict[str, Any]], path: str) -> None:
    places = [read(match) for match in matches]
    parts = Parts(members(place) for place in places)
    literals = parts._parts
    bit = 1 << literals.index(parts_of(path, literals))
    for place in places:
        taken = parts.taken(members(place))
        truth = matching.takes(place, Sample(path, {}))
        if truth is not None:
            assert not (taken.surely & bit and truth is False)
            assert not (truth and not taken.possibly & bit)
        assert taken.surely & ~taken.possibly == 0


def test_prefixes_are_parted_from_what_is_longer(said: Said) -> None:
    short, long, whole = (said(match) for match in ({"prefix": "/a"}, {"prefix": "/a/b"}, {"path": "/a/b/c"}))
    parts = Parts([short, long, whole])
    taken = [parts.taken(match) for match in (short, long, whole)]
    assert all(entry.surely == entry.possibly for entry in taken)
    assert taken[0].surely & taken[1].surely == taken[1].surely
    assert taken[1].surely & taken[2].surely == taken[2].surely
    assert (parts.shown(taken[2].surely), parts.shown(taken[1].surely & ~taken[2].surely)) == ("/a/b/c", "/a/b...")
    assert parts.shown(parts.all) == ""


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"prefix": "/", "path": "/"},
        {"path_match_policy": {}},
        {"prefix": "/é"},
        {"prefix": 3},
        {"prefix": "/", "case_sensitive": 1},
    ],
)
def test_what_is_not_understood_may_take_everything_and_surely_nothing(said: Said, match: dict[str, Any]) -> None:
    parts = Parts([said(match), said({"prefix": "/x"})])
    taken = parts.taken(said(match))
    assert taken.surely == 0
    assert parts.taken(said({"prefix": "/"})).surely & ~taken.possibly == 0


def test_connect_alone_has_no_path(said: Said) -> None:
    parts = Parts([])
    assert parts.taken(said({"prefix": ""})).possibly != parts.all
    assert parts.taken(said({"connect_matcher": {}})).possibly == parts.all


@pytest.mark.parametrize(
    ("match", "is_api"),
    [
        ({"prefix": "/v1/chat"}, True),
        ({"prefix": "/v1/models/x"}, True),
        ({"path": "/v1/chat/completions"}, True),
        ({"path": "/v1/chat/completions/"}, True),
        ({"path": "/v1/ch%61t/completions"}, True),
        ({"prefix": "/v1/%6"}, True),
        ({"prefix": "/v1/%63"}, True),
        ({"path": "/v1/chat"}, False),
        ({"prefix": "/v1/%64"}, False),
        ({"prefix": "/grafana"}, False),
    ],
)
def test_paths_that_the_router_reads_as_an_apis(said: Said, match: dict[str, Any], is_api: bool) -> None:
    parts = Parts([said(match)])
    assert bool(parts.taken(said(match)).possibly & parts.api) is is_api
