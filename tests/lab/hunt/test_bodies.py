from __future__ import annotations

import json
import random

from extproc_router import dialects
from extproc_router.lab.hunt import bodies, sketches, sources


def test_every_body_is_read_as_it_was_sketched() -> None:
    rng = random.Random(0)
    found = sources.draw(rng, ("low", "high"), 0.5)
    for _ in range(300):
        sketch = sketches.draw(rng, found)
        body = bodies.body(rng, sketch, "m")
        dialect = dialects.find(bodies.PATHS[sketch.api])
        assert dialect is not None
        request = dialect.read(body)
        assert (request.api, request.model) == (sketch.api, "m")
        assert request.stream is sketch.stream
        assert (request.modalities == {"image"}) is sketch.image
        assert request.tools is bool(sketch.declared)
        assert bool(request.unread) is sketch.ids
        assert bool(request.service_tier) is sketch.batch
        if not (sketch.silent or sketch.ids):
            assert len(request.turns) == len(sketch.turns)
            assert request.called is any(turn.role == "call" for turn in sketch.turns)


def test_the_model_may_be_left_out_or_empty() -> None:
    rng = random.Random(0)
    sketch = sketches.Sketch("completions", (sketches.Said("user", "hello"),))
    assert "model" not in json.loads(bodies.body(rng, sketch, None))
    assert {json.loads(bodies.body(rng, sketch, ""))["model"] for _ in range(20)} == {"", None}


def test_some_bodies_name_two_models_and_the_last_counts() -> None:
    rng = random.Random(0)
    sketch = sketches.Sketch("completions", (sketches.Said("user", "hello"),))
    written = [bodies.body(rng, sketch, "m") for _ in range(200)]
    assert any(body.count(b'"model"') == 2 for body in written)
    assert all(json.loads(body)["model"] == "m" for body in written)
