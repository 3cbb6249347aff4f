from __future__ import annotations

from random import Random

from extproc_router.lab.hunt import envoy_requests
from extproc_router.lab.hunt.envoy_request import Router
from extproc_router.lab.hunt.envoy_site import Model, Site

SITE = Site(("public", "restricted"), (Model("m", "local", 1), Model("n", "openai", 0)), restricts=(1,))
DRAWN = [envoy_requests.draw(Random(place), SITE, 2, ("hint",)) for place in range(500)]


def tiers(place: int) -> list[str]:
    return [value for name, value in DRAWN[place].headers if name.lower() == "x-privacy-tier"]


def test_a_seed_gives_one_request() -> None:
    assert DRAWN[7] == envoy_requests.draw(Random(7), SITE, 2, ("hint",))


def test_requests_are_of_every_kind() -> None:
    assert {sent.router for sent in DRAWN} == set(Router)
    assert {sent.listener for sent in DRAWN} == {0, 1}
    assert {sent.content for sent in DRAWN} == {0, 1}
    assert {len(tiers(place)) for place in range(len(DRAWN))} == {0, 1, 2, 3}
    seen = {tier for place in range(len(DRAWN)) for tier in tiers(place)}
    assert {"public", "restricted", "RESTRICTED", "public,restricted", "hint", ""} <= seen
    assert {name for sent in DRAWN for name, _ in sent.headers} >= {"x-selected-cluster", "X-LLM-DECISION"}


def test_no_value_ends_in_a_blank() -> None:
    """HTTP drops these, so that no server ever sees them."""
    values = [value for sent in DRAWN for _, value in sent.headers]
    assert [value for value in values if value != value.strip(" \t")] == []
