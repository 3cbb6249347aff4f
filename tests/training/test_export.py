from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("onnx", reason="needs the extra [train]")
pytest.importorskip("safetensors", reason="needs the extra [train]")
if TYPE_CHECKING:
    from pathlib import Path

from extproc_router.encoder.tokenizer import Tokenizer
from extproc_router.training import export


@pytest.fixture(scope="module")
def checkpoint() -> export.Source:
    try:
        return export.source()
    except ModuleNotFoundError:
        pytest.skip("needs the checkpoint's package, extra [train]")


def test_the_export_is_the_shipped_encoder(checkpoint: export.Source, shipped: Path, tmp_path: Path) -> None:
    export.export(checkpoint, tmp_path, max_tokens=128, head_share=0.5)
    for name in (export.ENCODER, export.TOKENIZER):
        exported, ours = (hashlib.sha256((folder / name).read_bytes()).hexdigest() for folder in (tmp_path, shipped))
        assert exported == ours, name


def test_the_sizes_are_the_models(checkpoint: export.Source, tmp_path: Path) -> None:
    geometry = export.export(checkpoint, tmp_path, max_tokens=32, head_share=0.25)
    assert (geometry.dimension, geometry.vocabulary) == (384, 30_522)
    assert len(Tokenizer(tmp_path / export.TOKENIZER, geometry)("word " * 100).ids) == 32


def test_another_activation_is_refused(checkpoint: export.Source, tmp_path: Path) -> None:
    config = json.loads((checkpoint.directory / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    with pytest.raises(ValueError, match="activation relu, the graph has gelu"):
        export.export(export.Source(tmp_path), tmp_path / "out", max_tokens=32, head_share=0.5)
