from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest

from extproc_router import surface
from extproc_router.learning.base import Features, Outcomes

World: TypeAlias = Callable[..., tuple[Outcomes, Features]]


def make_world(
    rows: int = 400, models: int = 2, *, seed: int = 0, missing: float = 0.0, topics: int = 4
) -> tuple[Outcomes, Features]:
    """Prompts of a few topics; each model is good at some of them, in a pattern that its number fixes."""
    random = np.random.default_rng(seed)
    centres = np.eye(topics, 16)
    topic = random.integers(0, topics, rows)
    embeddings = centres[topic] + random.normal(0, 0.1, (rows, 16))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    domains = np.full((rows, topics), 0.1 / (topics - 1))
    domains[np.arange(rows), topic] = 0.9
    skill = np.array(
        [[0.9 if (number + place) % 2 == 0 else 0.2 for place in range(topics)] for number in range(models)]
    )
    quality = (random.random((rows, models)) < skill[:, topic].T).astype(np.float64)
    quality[random.random((rows, models)) < missing] = np.nan
    return (
        Outcomes(tuple(f"model-{number}" for number in range(models)), quality, np.arange(rows, dtype=np.intp)),
        Features(embeddings.astype(np.float32), domains, random.normal(0, 1, (rows, surface.SIZE))),
    )


@pytest.fixture
def world() -> World:
    """Makes outcomes and features that fit each other."""
    return make_world
