from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router import encoder
from extproc_router.training import embed as embedding

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.embed import Files

TEXTS = ["what is a contract", "", "integrate x squared", "a \ud800 surrogate", "word " * 500]


def run(texts: list[str], files: Files, geometry: Geometry, cache: Path) -> tuple[npt.NDArray[np.float32], list[int]]:
    told: list[int] = []
    rows = embedding.embed(texts, files, geometry, cache=cache, workers=2, progress=told.append)
    return rows, told


def test_training_sees_what_serving_sees(files: Files, geometry: Geometry, shipped: Path, tmp_path: Path) -> None:
    rows, told = run(TEXTS, files, geometry, tmp_path)
    served = encoder.load(shipped)
    assert rows.tobytes() == np.stack([served.embed(text) for text in TEXTS]).tobytes()
    assert told == [len(TEXTS)]


def test_the_second_time_comes_from_the_cache(files: Files, geometry: Geometry, tmp_path: Path) -> None:
    first, _ = run(TEXTS, files, geometry, tmp_path)
    second, told = run(TEXTS, files, geometry, tmp_path)
    assert second.tobytes() == first.tobytes()
    assert told == []


def test_another_text_is_not_answered_from_the_cache(files: Files, geometry: Geometry, tmp_path: Path) -> None:
    run(["one"], files, geometry, tmp_path)
    rows, told = run(["two"], files, geometry, tmp_path)
    assert told == [1]
    assert rows[0] == pytest.approx(run(["two"], files, geometry, tmp_path / "other")[0][0])
