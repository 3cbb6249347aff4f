"""Encoder latency by length of text and by tier, on the machine at hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router import encoder

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = (16, 32, 64, 96, 128, 512, 8000)
_RUNS = 100
# Whole words of the vocabulary, one token each; the order varies so that no run repeats another.
_WORDS = ("water", "history", "number", "music", "city", "market", "letter", "garden", "paper", "river")


class Latency(Struct, frozen=True):
    """Milliseconds for one text of `tokens` tokens up to a tier, tokenising included; heads too at the last."""

    tokens: int
    tier: int
    median: float
    p95: float


def measure(directory: Path, *, runs: int = _RUNS) -> list[Latency]:
    """Time each tier on one text at a time in one thread, lengths and tiers interleaved.

    Args:
        directory: of the model.
        runs: texts of each length.

    Returns:
        One entry for each of `TOKENS` and each tier: the time until that tier's vectors are there, or, for the last,
        until every enabled head has answered from it.

    Raises:
        ArtefactError: the directory does not load.
    """
    model = encoder.load(directory, remember=0)
    model.warm_up()
    generator = np.random.default_rng(0)
    last = model.tiers - 1
    times: dict[tuple[int, int], list[float]] = {(tokens, tier): [] for tokens in TOKENS for tier in range(last + 1)}
    for _ in range(runs):
        for (tokens, tier), taken in times.items():
            text = " ".join(generator.choice(_WORDS, tokens - 2))  # [CLS] and [SEP] are the other two
            start = time.perf_counter()
            if tier == last:
                model.encode(text, tiers=False)
            else:
                model.read_to(text, tier)
            taken.append((time.perf_counter() - start) * 1e3)
    return [
        Latency(tokens=tokens, tier=tier, median=float(np.median(taken)), p95=float(np.percentile(taken, 95)))
        for (tokens, tier), taken in times.items()
    ]
