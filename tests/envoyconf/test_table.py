from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf import table
from extproc_router.envoyconf.matching import Sample

if TYPE_CHECKING:
    from extproc_router.envoyconf.table import Host
    from tests.envoyconf.conftest import Edit, Read

SAMPLE = Sample("/v1/x", {"a": "1"})


def host(read: Read, edit: Edit, routes: list[dict[str, Any]], clusters: tuple[Any, ...] = ()) -> Host:
    edit.routes[:] = routes
    edit.data["static_resources"]["clusters"] += clusters
    place = read(edit.data)
    listener = place.get("static_resources").each("listeners")[0]
    manager = listener.each("filter_chains")[0].each("filters")[0].get("typed_config")
    [found] = table.hosts(manager, place)
    return found


def route(name: str, **match: Any) -> dict[str, Any]:
    return {"name": name, "match": {"prefix": "/", **match}, "route": {"cluster": "small"}}


def test_the_first_route_that_surely_takes_a_request_counts(read: Read, edit: Edit) -> None:
    routes = [
        route("other", prefix="/y"),
        route("unknown", headers=[{"name": "b"}]),
        route("sure", headers=[{"name": "a"}]),
        route("last"),
    ]
    found = table.way(host(read, edit, routes), SAMPLE)
    assert found.route is not None
    assert found.route.name == "sure"
    assert [entry.name for entry in found.maybe] == ["unknown"]


def test_none_may_take_it(read: Read, edit: Edit) -> None:
    assert table.way(host(read, edit, [route("y", prefix="/y")]), SAMPLE) == table.Way(None, ())


@pytest.mark.parametrize(
    ("cluster", "closes"),
    [
        ({"type": "STATIC"}, True),
        ({}, True),
        ({"type": "STATIC", "load_assignment": {"endpoints": [{"lb_endpoints": []}]}}, True),
        ({"type": "STATIC", "load_assignment": {"endpoints": [{"lb_endpoints": [{"endpoint": {}}]}]}}, False),
        ({"type": "STRICT_DNS"}, False),
        ({"type": "EDS"}, False),
        ({"cluster_type": {"name": "envoy.clusters.dns"}}, False),
    ],
)
def test_a_cluster_closes_where_it_has_no_server_and_never_will(
    read: Read, edit: Edit, cluster: dict[str, Any], closes: bool
) -> None:
    entry = {"name": "c", "match": {"prefix": "/"}, "route": {"cluster": "it"}}
    [found] = host(read, edit, [entry], ({"name": "it", **cluster},)).routes
    assert found.closes is closes
    assert found.upstream


@pytest.mark.parametrize("action", [{"direct_response": {"status": 503}}, {"redirect": {"https_redirect": True}}])
def test_an_answer_of_envoys_own_closes_too(read: Read, edit: Edit, action: dict[str, Any]) -> None:
    [found] = host(read, edit, [{"match": {"prefix": "/"}, **action}]).routes
    assert found.closes
    assert not found.upstream
    assert found.name == "0"


def test_routes_for_other_paths_are_passed_by(read: Read, edit: Edit) -> None:
    found = host(read, edit, [route("x", prefix="/x"), route("all", prefix="/"), route("odd", path_match_policy={})])
    assert [entry.name for entry in found.on("/v1/chat")] == ["all", "odd"]
    assert found.on("/v1/chat") is found.on("/v1/chat")
