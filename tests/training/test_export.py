from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra [train]")
pytest.importorskip("safetensors", reason="needs the extra [train]")
if TYPE_CHECKING:
    from pathlib import Path

from extproc_router.training import export
from extproc_router.training.embed import Embedder

IDF = np.ones(30_522, np.float32)


@pytest.fixture(scope="module")
def checkpoint() -> export.Source:
    try:
        return export.source()
    except ModuleNotFoundError:
        pytest.skip("needs the checkpoint's package, extra [train]")


def test_what_is_exported_runs(checkpoint: export.Source, tmp_path: Path) -> None:
    geometry = export.export(checkpoint, tmp_path, max_tokens=32, head_share=0.25, stages=(1, 2), idf=IDF, queries=None)
    assert (geometry.dimension, geometry.vocabulary, geometry.max_tokens) == (384, 30_522, 32)
    files = export.files(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "stage-1.onnx",
        "stage-2.onnx",
        "tokenizer.json",
        "words.npy",
    ]
    embedder = Embedder(files, geometry)
    assert len(embedder.tokenizer("word " * 100).ids) == 32
    assert embedder.row("word " * 100).shape == (5, 384)


def test_the_same_input_gives_the_same_bytes(checkpoint: export.Source, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        export.export(checkpoint, tmp_path / folder, max_tokens=32, head_share=0.5, stages=(1,), idf=IDF, queries=None)
    for name in ("stage-1.onnx", "words.npy", "tokenizer.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


@pytest.mark.parametrize(
    ("config", "changes", "reason"),
    [
        ({"hidden_act": "relu"}, {}, "activation relu, the graph has gelu"),
        ({}, {"max_tokens": 513}, "513 tokens, it has 512 positions"),
        ({}, {"stages": ()}, r"stages end after layers \[\] of 6"),
        ({}, {"stages": (2, 2)}, r"stages end after layers \[2, 2\] of 6"),
        ({}, {"stages": (0, 2)}, r"stages end after layers \[0, 2\] of 6"),
        ({"num_hidden_layers": 4}, {"stages": (2, 6)}, r"stages end after layers \[2, 6\] of 4"),
        ({}, {"idf": IDF[1:]}, r"IDF of shape \(30521,\) or out of range, it has 30522 tokens"),
        ({}, {"idf": -IDF}, "out of range"),
        ({}, {"queries": [np.ones(384, np.float32)] * 2}, "queries do not fit the stages"),
    ],
)
def test_what_does_not_fit_is_refused(
    checkpoint: export.Source, tmp_path: Path, config: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    content = json.loads((checkpoint.directory / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(content | config))
    arguments: dict[str, Any] = {
        "max_tokens": 32,
        "head_share": 0.5,
        "stages": (6,),
        "idf": IDF,
        "queries": None,
    } | changes
    with pytest.raises(ValueError, match=reason):
        export.export(export.Source(tmp_path), tmp_path / "out", **arguments)
