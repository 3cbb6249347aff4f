from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof import hosts
from extproc_router.envoyconf.proof.filters import Chain
from extproc_router.envoyconf.proof.values import ABSENT, ANYTHING, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.envoyconf.proof.hosts import Host
    from tests.envoyconf.conftest import Edit, Read
    from tests.envoyconf.proof.conftest import Attempt

NAMES = ("x-selected-cluster", "x-llm-decision", "x-privacy-tier")
NOBODY = Chain(None, allows=False, name="", trusted=frozenset(), namespaces=frozenset(), doubts=())


@pytest.fixture
def host(read: Read) -> Callable[..., Host]:
    """A virtual host whose routes match this."""

    def make(*matches: dict[str, Any]) -> Host:
        routes = [{"match": match, "direct_response": {}} for match in matches]
        place = read({"virtual_hosts": [{"name": "all", "routes": routes}]})
        [found], doubts = hosts.read(place, NOBODY, guards=True)
        assert doubts == []
        return found

    return make


def walked(host: Host, **values: Value) -> list[tuple[str, bool]]:
    known = {name: values.get(name.replace("-", "_"), ABSENT) for name in NAMES}
    return [(reached.way.name, reached.certain) for reached in host.walk(known)]


def header(name: str, **matcher: Any) -> dict[str, Any]:
    return {"prefix": "/", "headers": [{"name": name, **matcher}]}


def test_the_first_route_that_surely_takes_all_ends_the_walk(host: Callable[..., Host]) -> None:
    found = host({"prefix": "/a"}, {"path": "/b"}, {"prefix": "/"}, {"prefix": "/c"})
    assert walked(found) == [("0", True), ("1", True), ("2", True)]


def test_parts_that_were_taken_before_are_gone(host: Callable[..., Host]) -> None:
    assert walked(host({"prefix": "/a"}, {"prefix": "/a/b"}, {"path": "/a"}, {"prefix": "/"})) == [
        ("0", True),
        ("3", True),
    ]


def test_a_header_that_decides(host: Callable[..., Host]) -> None:
    found = host(header(NAMES[0], present_match=True), {"prefix": "/"})
    assert walked(found) == [("1", True)]
    assert walked(found, x_selected_cluster=Value(present=True)) == [("0", True)]
    assert walked(found, x_selected_cluster=ANYTHING) == [("0", True), ("1", True)]


def test_other_conditions_hold_for_some(host: Callable[..., Host]) -> None:
    assert walked(host(header("x-team", present_match=True), {"prefix": "/"})) == [("0", True), ("1", True)]


def test_what_is_not_understood_dims_what_comes_behind(host: Callable[..., Host]) -> None:
    assert walked(host({"prefix": "/", "tls_context": {}}, {"prefix": "/"})) == [("0", False), ("1", False)]
    # But not on other paths.
    assert walked(host({"prefix": "/a", "tls_context": {}}, {"prefix": "/"})) == [("0", False), ("1", True)]
    custom = header(NAMES[2], string_match={"custom": {}})
    assert walked(host(custom, {"prefix": "/"}), x_privacy_tier=Value(present=True)) == [("0", False), ("1", False)]


def test_a_walk_may_begin_on_some_paths(host: Callable[..., Host]) -> None:
    found = host({"prefix": "/grafana"}, {"prefix": "/v1"}, {"prefix": "/"})
    names = [reached.way.name for reached in found.walk(dict.fromkeys(NAMES, ABSENT), found.parts.api)]
    # Part of a path may be percent-encoded: /%76%31/chat/completions.
    assert names == ["1", "2"]


def test_comparisons_are_of_values(host: Callable[..., Host]) -> None:
    found = host(header(NAMES[0], present_match=True), header(NAMES[0], exact_match="a"), header("x", exact_match="b"))
    assert [test.wanted for test in found.comparisons(NAMES[0])] == ["a"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda e: e.manager["route_config"].update(vhds={}), "route_config.vhds"),
        (lambda e: e.manager["route_config"].update(a_field_of_1_50={}), "route_config.a_field_of_1_50"),
        (lambda e: e.manager["route_config"].update(internal_only_headers=["X-Privacy-Tier"]), "route_config.internal"),
        (lambda e: e.host.update(matcher={}), "virtual_hosts.llm.matcher"),
        (lambda e: e.host.update(retry_policy_typed_config={}), "virtual_hosts.llm.retry_policy_typed_config"),
        (lambda e: e.host["retry_policy"].update(a_field_of_1_50={}), "virtual_hosts.llm.retry_policy.a_field"),
        (
            lambda e: e.host.update(request_headers_to_add=[{"header": {"key": "x-selected-cluster"}}]),
            "virtual_hosts.llm.request_headers_to_add",
        ),
    ],
)
def test_what_stands_above_routes_and_is_not_understood(
    attempt: Attempt, change: Callable[[Edit], object], field: str
) -> None:
    found = attempt(change)
    assert found.leaks == []
    assert any(doubt.startswith(field) for doubt in found.doubts), found.doubts


def test_headers_that_are_internal_and_not_a_tier(attempt: Attempt) -> None:
    assert attempt(lambda e: e.manager["route_config"].update(internal_only_headers=["x-team"])).proved


def test_every_host_that_a_client_can_name_is_looked_at(attempt: Attempt) -> None:
    def change(edit: Edit) -> None:
        route = {"match": {"prefix": "/"}, "route": {"cluster": "code"}}
        edit.manager["route_config"]["virtual_hosts"].append({"name": "second", "domains": ["x"], "routes": [route]})

    found = attempt(change)
    assert {mistake.field for mistake in found.proof.leaks} == {"virtual_hosts.second.routes.0"}
