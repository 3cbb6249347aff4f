"""The third act of the demo shows what it promises; test_demo.py plays it."""

from __future__ import annotations

from extproc_router import wiring
from extproc_router.lab import chain_demo
from extproc_router.lab.chain_demo import LARGE, SCENES, SMALL


def test_it_shows_a_fallback_and_an_escalation() -> None:
    asked = [scene.asked for scene in SCENES if scene.answered_by == LARGE]
    assert () in asked  # the small one could not even be asked
    assert (SMALL, LARGE) in asked  # it was, and its answer was not served


def test_its_config_has_both_clusters_and_a_cascade() -> None:
    config = wiring.read_config(chain_demo.CONFIG)
    assert {candidate.cluster for candidate in config.candidates} == {SMALL, LARGE}
    assert [rule.name for rule in config.written.rules if rule.cascade] == ["try-small"]
