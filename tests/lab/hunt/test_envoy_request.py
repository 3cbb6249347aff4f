from __future__ import annotations

from extproc_router.lab.hunt.envoy_request import CLOSED_CLEANLY, SPEAKS, Outcome, Router


def test_a_router_that_ends_its_stream_says_nothing() -> None:
    assert SPEAKS.isdisjoint(CLOSED_CLEANLY)
    assert set(Router) > SPEAKS | CLOSED_CLEANLY


def test_a_router_is_silent_unless_it_spoke() -> None:
    assert Outcome(frozenset()).verdict is None
