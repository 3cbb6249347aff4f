from __future__ import annotations

import random

from extproc_router.lab.hunt import faults, sources


def test_faults_are_drawn_of_every_kind() -> None:
    rng = random.Random(0)
    found = sources.draw(rng, ("low", "high"), 0.5)
    drawn = [faults.draw(rng, found) for _ in range(600)]
    assert {fault.encoder for fault in drawn} == {"", "dead", "late", "overloaded", "texts", "silent"}
    assert {how for fault in drawn for how in fault.broken.values()} == set(faults.BREAKS)
    assert {name for fault in drawn for name in fault.broken} <= found.keys()
    assert any(fault.lost for fault in drawn)
    assert any(fault.confused for fault in drawn)
    assert any(fault.no_room for fault in drawn)
    assert any(fault.reloads for fault in drawn)
    assert sum(fault == faults.Faults(matcher=fault.matcher) for fault in drawn) > 200


def test_what_should_raise_a_flag_says_so_no_less_than_what_should_not() -> None:
    rng = random.Random(0)
    for _ in range(200):
        heads = faults.draw_heads(rng)
        for high, low in (heads.attack, heads.puzzle):
            assert (high.raised, high.p) > (low.raised, low.p)
