"""Chance, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


def happens(rng: random.Random, share: float) -> bool:
    """Whether something happens that does in a share of all cases, in [0, 1]."""
    return rng.random() < share
