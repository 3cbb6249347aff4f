from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit, Judge

EXT_PROC = "envoy.filters.http.ext_proc"
PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"
FILTER = "type.googleapis.com/envoy.config.route.v3.FilterConfig"


def mutations(edit: Edit) -> list[dict[str, Any]]:
    [extension] = edit.manager["early_header_mutation_extensions"]
    found: list[dict[str, Any]] = extension["typed_config"]["mutations"]
    return found


def without_removal(edit: Edit, *instead: dict[str, Any]) -> None:
    kept = [entry for entry in mutations(edit) if entry.get("remove") != "x-selected-cluster"]
    mutations(edit)[:] = [*instead, *kept]


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.manager.pop("early_header_mutation_extensions"),
        without_removal,
        lambda e: without_removal(e, {"remove": "x-selectd-cluster"}),
        lambda e: without_removal(e, {"remove_on_match": {"key_matcher": {"prefix": "x-llm-"}}}),
    ],
)
def test_clients_must_not_speak_for_the_router(judge: Judge, change: Callable[[Edit], object]) -> None:
    [mistake] = judge(change).mistakes
    assert mistake.field == "early_header_mutation_extensions"
    assert "clients can choose a cluster" in mistake.message


@pytest.mark.parametrize(
    "removal",
    [
        {"remove": "X-Selected-Cluster"},
        {"remove_on_match": {"key_matcher": {"prefix": "x-selected"}}},
        {"remove_on_match": {"key_matcher": {"safe_regex": {"regex": "x-.*"}}}},
    ],
)
def test_any_removal_will_do(judge: Judge, removal: dict[str, Any]) -> None:
    assert judge(lambda e: without_removal(e, removal)).mistakes == ()


def special(scope: Callable[[Edit], dict[str, Any]], **config: Any) -> Callable[[Edit], object]:
    return lambda edit: scope(edit).update(typed_per_filter_config={EXT_PROC: {"@type": PER_ROUTE, **config}})


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.filter.update(disabled=True),
        special(lambda e: e.route("default"), disabled=True),
        special(lambda e: e.route("private_undecided"), disabled=True),
        special(lambda e: e.host, disabled=True),
        special(lambda e: e.manager["route_config"], disabled=True),
        lambda e: e.host.update(typed_per_filter_config={EXT_PROC: {"@type": FILTER, "disabled": True}}),
        lambda e: e.host.update(
            typed_per_filter_config={EXT_PROC: {"@type": FILTER, "config": {"@type": PER_ROUTE, "disabled": True}}}
        ),
    ],
)
def test_the_filter_must_run_where_requests_are_undecided(judge: Judge, change: Callable[[Edit], object]) -> None:
    mistakes = judge(change).mistakes
    assert mistakes
    assert all("ext_proc is disabled" in mistake.message for mistake in mistakes)


@pytest.mark.parametrize(
    "change",
    [
        special(lambda e: e.route("decided"), disabled=True),  # it has run by then
        lambda e: (e.filter.update(disabled=True), special(lambda e: e.host, overrides={})(e)),
        lambda e: (special(lambda e: e.host, disabled=True)(e), [special(lambda _, r=r: r)(e) for r in e.routes]),  # type: ignore[misc]  # a loop variable is bound
    ],
)
def test_the_nearest_word_on_it_counts(judge: Judge, change: Callable[[Edit], object]) -> None:
    assert judge(change).mistakes == ()


def test_what_a_route_overrides_is_noted(judge: Judge) -> None:
    report = judge(special(lambda e: e.host, overrides={"processing_mode": {}}))
    assert ["what is overridden" in note.message for note in report.notes] == [True]


def test_behind_the_router_filter_it_is_never_reached(judge: Judge) -> None:
    [mistake] = judge(lambda e: e.filters.reverse()).mistakes
    assert "after the router filter" in mistake.message


def test_of_several_ext_procs_the_one_that_takes_our_metadata_is_ours(judge: Judge) -> None:
    def change(edit: Edit) -> None:
        other = deepcopy(edit.filter)
        other["name"] = "guard"
        del other["typed_config"]["metadata_options"]
        other["typed_config"]["processing_mode"] = {"request_body_mode": "STREAMED"}
        edit.filters.insert(0, other)

    report = judge(change)
    assert report.mistakes == ()
    assert ["not the router's" in note.message for note in report.notes] == [True]


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "x", "config_discovery": {}},
        {"name": "x", "typed_config": {"@type": "type.googleapis.com/xds.type.v3.TypedStruct"}},
    ],
)
def test_a_filter_that_is_out_of_sight_is_noted(judge: Judge, entry: dict[str, Any]) -> None:
    def change(edit: Edit) -> None:
        edit.filters[0] = entry

    report = judge(change)
    assert report.mistakes == (), "it may be the router's"
    assert ["discovered or untyped" in note.message for note in report.notes] == [True]
