from __future__ import annotations

import random
from typing import TYPE_CHECKING

from extproc_router.lab.hunt import sketches, sources
from extproc_router.lab.hunt.sketches import PLACES
from extproc_router.lab.hunt.sources import Source

if TYPE_CHECKING:
    from extproc_router.lab.hunt.sketches import Sketch


def drawn(count: int) -> list[Sketch]:
    rng = random.Random(0)
    found = sources.draw(rng, ("low", "high"), 0.5)
    return [sketches.draw(rng, found) for _ in range(count)]


def test_what_is_planted_is_there_and_nowhere_else() -> None:
    for sketch in drawn(300):
        whole = "\n".join([*(turn.text for turn in sketch.turns), *sketch.declared, *sketch.schema, sketch.speaker])
        for plant in sketch.plants:
            assert plant.place in PLACES[sketch.api]
            assert whole.count(plant.text) == 1


def test_every_place_is_planted_at_and_every_oddity_drawn() -> None:
    sketched = drawn(1500)
    assert {plant.place for sketch in sketched for plant in sketch.plants} == set(PLACES["chat_completions"])
    assert {sketch.api for sketch in sketched} == PLACES.keys()
    for oddity in ("image", "stream", "batch", "long", "ids", "silent"):
        assert 0 < sum(getattr(sketch, oddity) for sketch in sketched) < 700


def test_conversations_begin_alike() -> None:
    openings = {sketch.turns[0].text for sketch in drawn(300) if len(sketch.turns) == 3}
    assert len(openings) < 12


def test_who_sees_what() -> None:
    keyword = Source("k", "keyword", of="prompt")
    assert [place for place in PLACES["chat_completions"] if sketches.sees(keyword, place)] == ["last"]
    incoming = Source("k", "keyword", of="incoming")
    unseen = [place for place in PLACES["chat_completions"] if not sketches.sees(incoming, place)]
    assert unseen == ["system", "assistant"]
    attack = Source("j", "jailbreak", of="incoming")
    assert [place for place in PLACES["chat_completions"] if sketches.sees(attack, place)] == [
        "last",
        "earlier",
        "tool",
    ]
