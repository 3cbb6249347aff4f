from __future__ import annotations

import random

from extproc_router.lab.hunt.chance import happens


def test_it_happens_in_its_share_of_cases() -> None:
    rng = random.Random(0)
    assert 180 < sum(happens(rng, 0.2) for _ in range(1000)) < 220
    assert not any(happens(rng, 0.0) for _ in range(100))
    assert all(happens(rng, 1.0) for _ in range(100))
