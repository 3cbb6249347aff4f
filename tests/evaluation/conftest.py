from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from extproc_router.evaluation.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt


def outcomes(weak: npt.ArrayLike, strong: npt.ArrayLike, **changes: Any) -> Outcomes:
    quality = np.stack([np.array(weak, dtype=np.float64), np.array(strong, dtype=np.float64)], axis=1)
    n = len(quality)
    members: dict[str, Any] = {
        "models": ("weak", "strong"),
        "quality": quality,
        "costs": None,
        "lengths": np.arange(n, dtype=np.int64),
        "keys": np.arange(n, dtype=np.int64) * 7919,
        "groups": np.zeros(n, dtype=np.int64),
        "group_names": ("",),
        "texts": None,
        "columns": {},
    }
    return Outcomes(**{**members, **changes})


@pytest.fixture
def make() -> Callable[..., Outcomes]:
    """Outcomes of a weak and a strong model."""
    return outcomes


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows (objects, or strings as they are) to a file."""

    def to(*rows: object, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return path

    return to


@pytest.fixture
def noisy() -> Callable[..., Outcomes]:
    """n seeded rows: the strong model is better on some, the weak on fewer, and `hint` knows a little of it."""

    def build(n: int, seed: int = 0) -> Outcomes:
        generator = np.random.default_rng(seed)
        difficulty = generator.normal(size=n)
        weak = (generator.random(n) < 1 / (1 + np.exp(difficulty - 0.5))).astype(np.float64)
        strong = (generator.random(n) < 1 / (1 + np.exp(0.6 * difficulty - 1.5))).astype(np.float64)
        hint = difficulty + generator.normal(size=n)
        groups = (difficulty > 0).astype(np.int64)
        return outcomes(weak, strong, columns={"hint": hint}, groups=groups, group_names=("easy", "hard"))

    return build
