from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.loader import Config
    from tests.envoyconf.conftest import Edit, Judge

PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"


def source(edit: Edit, cluster: str = "large") -> dict[str, Any]:
    [found] = [entry for entry in edit.upstream(cluster) if entry["name"] == "llm.model"]
    program: dict[str, Any] = found["typed_config"]["default_source_code"]
    return program


def written(old: str, new: str) -> Callable[[Edit], object]:
    def change(edit: Edit) -> None:
        program = source(edit)
        assert old in program["inline_string"]
        program["inline_string"] = program["inline_string"].replace(old, new)

    return change


def own(edit: Edit, cluster: str) -> list[dict[str, Any]]:
    """The filters of one cluster, shared with no other."""
    [options] = edit.cluster(cluster)["typed_extension_protocol_options"].values()
    options["http_filters"] = deepcopy(options["http_filters"])
    filters: list[dict[str, Any]] = options["http_filters"]
    return filters


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (lambda e: own(e, "large").pop(1), "lua", "lacks the Lua of `extproc-router envoy render`"),
        (lambda e: own(e, "large").clear(), "lua", "the body names the first one, which is a 404 here"),
        (written("function envoy_on_response", "function other"), "lua", "lacks the Lua"),
        (written('CLUSTER = "large"', 'CLUSTER = "small"'), "lua", "CLUSTER is not what the config says"),
        (written('["b"] = true', '["x"] = true'), "lua", "SERVED is not what the config says"),
        (lambda e: (filters := own(e, "large")).insert(0, filters.pop(1)), "order", "the verifier stands behind Lua"),
        (lambda e: own(e, "large").pop(), "order", "upstream_codec: Envoy does not start"),
        (lambda e: own(e, "large").pop(0), "http_filters", "no ext_proc that judges answers"),
    ],
)
def test_each_attempt_has_its_filters(
    judge_cascade: Judge, change: Callable[[Edit], object], field: str, says: str
) -> None:
    mistakes = [mistake for mistake in judge_cascade(change).mistakes if mistake.field.startswith("clusters.large.")]
    assert [says in mistake.message for mistake in mistakes if mistake.field.endswith(field)] == [True]


def test_a_line_break_at_the_end_says_nothing(judge_cascade: Judge) -> None:
    def change(edit: Edit) -> None:
        source(edit)["inline_string"] += "\n"

    assert judge_cascade(change).mistakes == ()


def test_a_filter_before_ours_is_a_sites_own(judge_cascade: Judge) -> None:
    mutation = {
        "name": "key",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        },
    }
    assert judge_cascade(lambda e: own(e, "large").insert(0, mutation)).mistakes == ()


@pytest.mark.parametrize("route", ["chain", "decided", "passed", "default"])
def test_streams_outside_of_cascades_are_not_touched(judge_cascade: Judge, route: str) -> None:
    [mistake] = judge_cascade(lambda e: e.route(route).pop("typed_per_filter_config")).mistakes
    assert mistake.field == f"virtual_hosts.llm.routes.{route}.typed_per_filter_config"
    assert "streams too" in mistake.message


def test_cascades_are_judged(judge_cascade: Judge) -> None:
    off = {"llm.verify": {"@type": PER_ROUTE, "disabled": True}}
    [mistake] = judge_cascade(lambda e: e.route("cascade").update(typed_per_filter_config=off)).mistakes
    assert "every first answer is served" in mistake.message


def test_the_host_may_say_it_for_all(judge_cascade: Judge) -> None:
    def change(edit: Edit) -> None:
        for route in edit.routes:
            route.pop("typed_per_filter_config", None)
        edit.host["typed_per_filter_config"] = {"llm.verify": {"@type": PER_ROUTE, "disabled": True}}
        overrides = {"llm.verify": {"@type": PER_ROUTE, "overrides": {}}}
        edit.route("cascade")["typed_per_filter_config"] = overrides

    assert judge_cascade(change).mistakes == ()


def test_what_is_compressed_cannot_be_judged(judge_cascade: Judge) -> None:
    [mistake] = judge_cascade(lambda e: e.route("cascade").pop("request_headers_to_remove")).mistakes
    assert mistake.field == "virtual_hosts.llm.routes.cascade.request_headers_to_remove"
    assert "none is judged" in mistake.message


def test_the_host_may_take_encodings_away(judge_cascade: Judge) -> None:
    def change(edit: Edit) -> None:
        edit.route("cascade").pop("request_headers_to_remove")
        edit.host["request_headers_to_remove"] = ["x-selected-cluster", "Accept-Encoding"]

    assert judge_cascade(change).mistakes == ()


def test_what_is_for_cascades_may_stay_when_they_have_gone(judge_cascade: Judge, uncascaded: Config) -> None:
    assert judge_cascade(lambda _: None, config=uncascaded).mistakes == ()


def test_fallbacks_are_not_judged_where_nothing_is(judge_cascade: Judge, uncascaded: Config) -> None:
    def change(edit: Edit) -> None:
        edit.take("chain")
        edit.route("cascade")["match"]["headers"] = [{"name": "x-llm-chain", "present_match": True}]

    fields = [mistake.field for mistake in judge_cascade(change, config=uncascaded).mistakes]
    assert "virtual_hosts.llm.routes.cascade.typed_per_filter_config" in fields
