from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.config import loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit, Judge


def specifier(edit: Edit, route: str) -> dict[str, Any]:
    found: dict[str, Any] = edit.route(route)["route"]["inline_cluster_specifier_plugin"]["extension"]["typed_config"]
    return found


def without_walks(edit: Edit) -> None:
    for name in ("cascade", "chain"):
        edit.take(name)


def test_what_is_written_for_a_cascade_fits_it(judge_cascade: Judge) -> None:
    report = judge_cascade(lambda _: None)
    assert (report.mistakes, report.notes) == ((), ())


def test_plain_mode_is_a_note(judge_cascade: Judge) -> None:
    report = judge_cascade(without_walks)
    assert report.mistakes == ()
    [note, *_] = [note.message for note in report.notes]
    assert note.startswith("chains are not walked: plain: ")
    assert "no answer is judged: without `serve --verify-listen`" in note


def test_a_config_without_chains_needs_none(judge: Judge) -> None:
    config = loader.load("models: [{name: a, cluster: small}]\nrouting: {default: a}\n", "r.yaml")
    report = judge(lambda e: e.take("chain"), config)
    assert (report.mistakes, report.notes) == ((), ())


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (
            lambda e: e.routes.append(e.take("chain")),
            ".routes.decided",
            "walks no chain: where the first model fails, the client gets its error; route 'chain' on line",
        ),
        (
            lambda e: e.take("cascade"),
            ".routes.decided",
            "x-llm-chain: cascade, and walks no chain: no answer is judged",
        ),
        (
            lambda e: specifier(e, "chain").update(override_metadata_namespace="llm.chain"),
            ".routes.chain.override_metadata_namespace",
            "is 'llm.chain': the router writes extproc_router.chain",
        ),
        (
            lambda e: specifier(e, "chain")["priority_groups"][0]["clusters"].append({"cluster_name": "large"}),
            ".routes.chain.priority_groups",
            "goes to 'large', whatever its tier",
        ),
        (
            lambda e: e.host.pop("include_request_attempt_count"),
            ".include_request_attempt_count",
            "each attempt gets the first model's body",
        ),
        (
            lambda e: e.host.update(response_headers_to_remove=["x-llm-next"]),
            ".response_headers_to_remove",
            "lacks x-cascade-escalate",
        ),
    ],
)
def test_what_keeps_chains_from_being_walked(
    judge_cascade: Judge, change: Callable[[Edit], object], field: str, says: str
) -> None:
    [mistake] = [mistake for mistake in judge_cascade(change).mistakes if mistake.field.endswith(field)]
    assert says in mistake.message


def test_a_specifier_may_be_named(judge_cascade: Judge) -> None:
    def change(edit: Edit) -> None:
        plugin = edit.route("chain")["route"].pop("inline_cluster_specifier_plugin")
        plugin["extension"]["name"] = "walk"
        edit.route("chain")["route"]["cluster_specifier_plugin"] = "walk"
        edit.manager["route_config"]["cluster_specifier_plugins"] = [plugin]

    assert judge_cascade(change).mistakes == ()


def test_headers_may_be_removed_above(judge_cascade: Judge) -> None:
    def change(edit: Edit) -> None:
        edit.manager["route_config"]["response_headers_to_remove"] = edit.host.pop("response_headers_to_remove")

    assert judge_cascade(change).mistakes == ()


def test_a_condition_that_is_not_understood_is_noted(judge_cascade: Judge) -> None:
    report = judge_cascade(lambda e: e.route("chain")["match"].update(path_match_policy={}))
    assert any("x-llm-chain: fallback" in note.message for note in report.notes)
