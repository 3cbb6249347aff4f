"""Encoder latency by length of text, on the machine at hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router import encoder

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = (16, 32, 64, 96, 128, 512, 8000)
_RUNS = 200
# Whole words of the vocabulary, one token each; the order varies so that no run repeats another.
_WORDS = ("water", "history", "number", "music", "city", "market", "letter", "garden", "paper", "river")


class Latency(Struct, frozen=True):
    """Milliseconds for one text of `tokens` tokens, tokenising and heads included."""

    tokens: int
    median: float
    p95: float


def measure(directory: Path, *, runs: int = _RUNS) -> list[Latency]:
    """Time `Encoder.encode`, one text at a time in one thread, lengths interleaved.

    Args:
        directory: of the model.
        runs: texts of each length.

    Returns:
        One entry for each of `TOKENS`.

    Raises:
        ArtefactError: the directory does not load.
    """
    model = encoder.load(directory)
    model.warm_up()
    generator = np.random.default_rng(0)
    times: dict[int, list[float]] = {tokens: [] for tokens in TOKENS}
    for _ in range(runs):
        for tokens, taken in times.items():
            text = " ".join(generator.choice(_WORDS, tokens - 2))  # [CLS] and [SEP] are the other two
            start = time.perf_counter()
            model.encode(text)
            taken.append((time.perf_counter() - start) * 1e3)
    return [
        Latency(tokens=tokens, median=float(np.median(taken)), p95=float(np.percentile(taken, 95)))
        for tokens, taken in times.items()
    ]
