from __future__ import annotations

import random

from extproc_router import signals
from extproc_router.lab.hunt import answering, sources


def test_every_kind_of_signal_is_drawn_and_can_be_built() -> None:
    drawn: set[str] = set()
    rng = random.Random(0)
    for _ in range(60):
        for source in sources.draw(rng, ("low", "high"), 0.5).values():
            drawn.add(source.kind)
            kind = signals.KINDS[source.kind]
            options = {
                name: value for name, value in (source.written or {"kind": source.kind}).items() if name != "name"
            }
            reader = kind.build(source.name, kind.options.model_validate(options), answering.resources(0.5))
            assert reader.floor == source.floor
            assert reader.known is None or frozenset(source.labels) <= reader.known
            assert reader.numeric or not source.numeric
            assert bool(source.head) == (reader.cost >= signals.base.Cost.ENCODER)
    assert drawn == signals.KINDS.keys()


def test_made_up_words_differ() -> None:
    rng = random.Random(0)
    assert len({sources.word(rng) for _ in range(200)}) == 200
