from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.envoyconf.conftest import Edit, Judge


@pytest.mark.parametrize("route", ["chain", "decided", "passed", "default"])
def test_the_default_cuts_answers(judge: Judge, route: str) -> None:
    [mistake] = judge(lambda e: e.route(route)["route"].pop("timeout")).mistakes
    assert mistake.field == f"virtual_hosts.llm.routes.{route}.timeout"
    assert "15 s: answers that take longer are cut" in mistake.message


def test_a_limit_that_was_chosen_is_a_sites_own(judge: Judge) -> None:
    assert judge(lambda e: e.route("decided")["route"].update(timeout="300s")).mistakes == ()


def test_routes_to_other_places_may_have_it(judge: Judge) -> None:
    other = {"name": "status", "match": {"path": "/status"}, "route": {"cluster": "nowhere"}}
    assert judge(lambda e: e.routes.insert(0, other)).mistakes == ()


def test_silence_is_counted_from_the_first_attempt_on(judge: Judge) -> None:
    [mistake] = judge(lambda e: e.route("chain")["route"].update(idle_timeout="600s")).mistakes
    assert mistake.field == "virtual_hosts.llm.routes.chain.idle_timeout"
    assert "600 s" in mistake.message
    assert "900 s" in mistake.message


def test_without_it_the_managers_counts(judge: Judge) -> None:
    [mistake] = judge(lambda e: e.route("chain")["route"].pop("idle_timeout")).mistakes
    assert "is 300 s" in mistake.message

    def managed(e: Edit) -> None:
        e.route("chain")["route"].pop("idle_timeout")
        e.manager["stream_idle_timeout"] = "1000.5s"

    assert judge(managed).mistakes == ()


@pytest.mark.parametrize("idle", ["0s", "901s"])
def test_silence_may_have_no_limit(judge: Judge, idle: str) -> None:
    assert judge(lambda e: e.route("chain")["route"].update(idle_timeout=idle)).mistakes == ()
