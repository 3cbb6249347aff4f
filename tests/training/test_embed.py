from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router import encoder, surface
from extproc_router.encoder.head_file import Scale
from extproc_router.training import embed as embedding

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.embed import Embeddings, Files

TEXTS = ["what is a contract", "", "integrate x squared", "a \ud800 surrogate", "word " * 500]


def run(texts: list[str], files: Files, geometry: Geometry, cache: Path) -> tuple[Embeddings, list[int]]:
    told: list[int] = []
    rows = embedding.embed(texts, files, geometry, cache=cache, workers=2, progress=told.append)
    return rows, told


def test_training_sees_what_serving_sees(files: Files, geometry: Geometry, shipped: Path, tmp_path: Path) -> None:
    rows, told = run(TEXTS, files, geometry, tmp_path)
    served = encoder.load(shipped)
    for row, text in enumerate(TEXTS):
        views = [served.read_to(text, tier) for tier in range(served.tiers)]
        assert rows.static[row].tobytes() == views[0].mean.tobytes()
        for view, mean, focus in zip(views[1:], rows.means, rows.focuses, strict=True):
            assert mean[row].tobytes() == view.mean.tobytes()
            assert view.focus is not None
            assert focus[row].tobytes() == view.focus.tobytes()
    assert rows.surface.tolist() == [list(surface.read(text)) for text in TEXTS]
    assert told == [len(TEXTS)]


def test_inputs_are_what_a_head_reads(files: Files, geometry: Geometry, tmp_path: Path) -> None:
    rows, _ = run(TEXTS, files, geometry, tmp_path)
    scale = Scale(mean=[0.0] * surface.SIZE, deviation=[1.0] * surface.SIZE)
    width = geometry.dimension
    assert rows.inputs(0, ["mean", "focus", "surface"], scale).shape == (len(TEXTS), width + surface.SIZE)
    both = rows.inputs(1, ["focus", "mean"], None)
    np.testing.assert_array_equal(both, np.hstack([rows.focuses[0], rows.means[0]]))
    np.testing.assert_array_equal(rows.take(np.array([2, 0])).inputs(1, ["focus", "mean"], None), both[[2, 0]])


def test_token_states_are_the_taggers(files: Files, geometry: Geometry, shipped: Path) -> None:
    text = "Anna Meier lives unbelievably well"
    (states,) = embedding.Embedder(files, geometry).token_states([text])
    served = encoder.load(shipped)
    view = served.read_to(text, served.tiers - 1)
    assert view.hidden is not None
    assert states.states[-1].tobytes() == view.hidden.tobytes()
    assert states.shapes.tobytes() == view.page.shapes.tobytes()
    assert states.inputs(1).shape == (len(states.offsets), geometry.dimension + 8)
    assert text[slice(*states.offsets[0])] == "Anna"


def test_the_second_time_comes_from_the_cache(files: Files, geometry: Geometry, tmp_path: Path) -> None:
    first, _ = run(TEXTS, files, geometry, tmp_path)
    second, told = run(TEXTS, files, geometry, tmp_path)
    assert second.means[-1].tobytes() == first.means[-1].tobytes()
    assert told == []


def test_another_text_is_not_answered_from_the_cache(files: Files, geometry: Geometry, tmp_path: Path) -> None:
    run(["one"], files, geometry, tmp_path)
    rows, told = run(["two"], files, geometry, tmp_path)
    assert told == [1]
    assert rows.static[0] == pytest.approx(run(["two"], files, geometry, tmp_path / "other")[0].static[0])


def test_a_cache_that_was_cut_off_is_made_anew(files: Files, geometry: Geometry, tmp_path: Path) -> None:
    first, _ = run(["hello"], files, geometry, tmp_path)
    (stored,) = tmp_path.iterdir()
    for left in (b"", stored.read_bytes()[:200]):
        stored.write_bytes(left)
        again, told = run(["hello"], files, geometry, tmp_path)
        np.testing.assert_array_equal(again.static, first.static)
        assert told
