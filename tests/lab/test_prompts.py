from __future__ import annotations

from extproc_router import wiring
from extproc_router.lab import stack as lab
from extproc_router.lab.prompts import ASKS


def test_the_demo_shows_every_way_to_be_routed() -> None:
    models = {candidate.name for candidate in wiring.read_config(lab.CONFIG).candidates}

    assert len({ask.prompt for ask in ASKS}) == len(ASKS) == 12
    assert {ask.stream for ask in ASKS} == {True, False}
    assert {ask.tier for ask in ASKS} == {"", "restricted"}
    assert any(ask.model in models for ask in ASKS)
    assert [ask.status for ask in ASKS if ask.model not in {*models, "auto"}] == [404]
    assert max(len(ask.prompt) for ask in ASKS) > 10_000
