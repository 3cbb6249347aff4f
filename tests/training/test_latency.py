from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router import encoder
from extproc_router.training import latency

if TYPE_CHECKING:
    from pathlib import Path


def test_every_length_and_tier_is_timed(shipped: Path) -> None:
    entries = latency.measure(shipped, runs=2)
    tiers = range(encoder.load(shipped).tiers)
    assert [(entry.tokens, entry.tier) for entry in entries] == [
        (tokens, tier) for tokens in latency.TOKENS for tier in tiers
    ]
    assert all(0 < entry.median <= entry.p95 for entry in entries)


def test_a_word_is_a_token(shipped: Path) -> None:
    model = encoder.load(shipped)
    assert {word: model.encode(word).tokens for word in latency._WORDS} == dict.fromkeys(latency._WORDS, 3)
