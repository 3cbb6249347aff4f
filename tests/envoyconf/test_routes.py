from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config import loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.types import Mistake
    from tests.envoyconf.conftest import Edit, Judge

CATCH_ALL = {"prefix": "/"}


def of(mistakes: tuple[Mistake, ...], route: str) -> list[str]:
    return [mistake.message for mistake in mistakes if mistake.field.endswith(f"routes{route}")]


def test_the_shipped_routes_are_right(judge: Judge) -> None:
    report = judge(lambda _: None)
    assert (report.mistakes, report.notes) == ((), ())


@pytest.mark.parametrize(
    ("change", "route", "says"),
    [
        (lambda e: e.routes.remove(e.route("decided")), ".passed", "there is no route with `cluster_header"),
        (lambda e: e.routes.append(e.take("decided")), ".passed", "'decided' on line"),
        (
            lambda e: e.route("decided")["route"].update(cluster_header="x-selectd-cluster"),
            ".decided",
            "cluster_header is 'x-selectd-cluster' (did you mean 'x-selected-cluster'?)",
        ),
        (
            lambda e: e.route("decided")["match"]["headers"][0].update(present_match=False),
            ".passed",
            "'decided' on line",
        ),
        (
            lambda e: e.routes.insert(0, {"name": "v1", "match": {"prefix": "/v1"}, "route": {"cluster": "small"}}),
            ".v1",
            "",
        ),
        (
            lambda e: e.routes.insert(0, {"name": "no", "match": CATCH_ALL, "direct_response": {"status": 404}}),
            ".no",
            "",
        ),
        (lambda e: e.routes.insert(0, e.take("private_undecided")), ".private_undecided", "'decided' on line"),
        (lambda e: e.routes.clear(), "", "no route takes a request for /v1/chat/completions that the router decided"),
        (lambda e: e.route("decided")["match"].update(runtime_fraction={}), ".passed", "'decided' on line"),
    ],
)
def test_what_the_router_decided_must_count(
    judge: Judge, change: Callable[[Edit], object], route: str, says: str
) -> None:
    messages = of(judge(change).mistakes, route)
    assert any("that the router decided" in message and says in message for message in messages), messages


def test_a_misspelt_condition_is_not_taken_for_one_that_holds(judge: Judge) -> None:
    report = judge(lambda e: e.route("decided")["match"]["headers"][0].update(name="x-selected-clutser"))
    assert of(report.notes, ".decided") == []
    assert any("'decided' on line" in message for message in of(report.mistakes, ".passed"))


def test_a_direct_response_closes_as_well_as_an_empty_cluster(judge: Judge) -> None:
    def change(edit: Edit) -> None:
        del edit.route("private_undecided")["route"]
        edit.route("private_undecided")["direct_response"] = {"status": 503}
        edit.listener["per_connection_buffer_limit_bytes"] = 8912896

    assert judge(change).mistakes == ()


def test_one_tier_needs_no_closed_route(judge: Judge) -> None:
    config = loader.load("models: [{name: a, cluster: small}]\nrouting: {default: a}\n", "r.yaml")
    assert judge(lambda e: e.routes.remove(e.route("private_undecided")), config).mistakes == ()


@pytest.mark.parametrize(
    ("route", "says"),
    [
        ({"cluster": "large"}, "to 'large': routing.default is served by 'small'"),
        ({"cluster_header": "x-other"}, "by a header that is not there"),
    ],
)
def test_the_catch_all_goes_where_the_default_model_is(judge: Judge, route: dict[str, Any], says: str) -> None:
    [message] = of(judge(lambda e: e.route("default").update(route=route)).mistakes, ".default")
    assert "that the router did not decide" in message
    assert says in message


def test_what_the_router_lets_pass_goes_there_too(judge: Judge) -> None:
    [message] = of(judge(lambda e: e.route("passed")["route"].update(cluster="large")).mistakes, ".passed")
    assert "that the router let pass to 'large': routing.default is served by 'small'" in message


GUARDED = """
models: [{name: a, cluster: small}]
safety: [{name: s, when: {stream: true}, then: block, shadow: SHADOW}]
routing: {default: a}
"""


@pytest.mark.parametrize(("shadow", "notes"), [("false", 0), ("true", 1)])
def test_with_safety_rules_what_nobody_decided_is_closed(judge: Judge, shadow: str, notes: int) -> None:
    config = loader.load(GUARDED.replace("SHADOW", shadow), "r.yaml")
    report = judge(lambda e: e.route("default")["route"].update(cluster="nowhere"), config)
    assert report.mistakes == ()
    assert len(of(report.notes, ".default")) == notes


def test_no_catch_all_is_a_mistake(judge: Judge) -> None:
    [message] = of(judge(lambda e: e.routes.remove(e.route("default"))).mistakes, "")
    assert "it belongs to 'small'" in message


@pytest.mark.parametrize(
    ("change", "route"),
    [
        (
            lambda e: e.route("default").update(route={"weighted_clusters": {"clusters": [{"name": "small"}]}}),
            ".default",
        ),
        (
            lambda e: (e.route("default").pop("route"), e.route("default").update(direct_response={"status": 503})),
            ".default",
        ),
        (lambda e: e.host.update(matcher={}), ""),
        (lambda e: e.route("decided")["match"].update(path_match_policy={}), ".decided"),
    ],
)
def test_what_is_not_understood_is_noted(judge: Judge, change: Callable[[Edit], object], route: str) -> None:
    report = judge(change)
    assert [message[:13] for message in of(report.notes, route)] == ["not checked: "]


def test_an_api_that_a_site_closes_is_no_mistake(judge: Judge) -> None:
    closed = {"name": "closed", "match": {"path": "/v1/embeddings"}, "direct_response": {"status": 404}}
    assert judge(lambda e: e.routes.insert(0, closed)).mistakes == ()


def test_without_a_readable_config_decisions_are_still_followed(judge: Judge) -> None:
    assert judge(lambda _: None, None).mistakes == ()
    [mistake] = judge(lambda e: e.routes.remove(e.route("decided")), None).mistakes
    assert "cluster_header" in mistake.message
