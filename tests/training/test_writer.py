from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.encoder import heads, manifest
from extproc_router.encoder.manifest import Geometry
from extproc_router.training import writer
from extproc_router.training.fit import CalibratedHead, Linear

if TYPE_CHECKING:
    from pathlib import Path

GEOMETRY = Geometry(dimension=4, vocabulary=10, max_tokens=16, head_share=0.5)


def head() -> CalibratedHead:
    generator = np.random.default_rng(0)
    linear = Linear(weights=generator.normal(size=(3, 4)), bias=generator.normal(size=3))
    return CalibratedHead(("a", "b", "c"), linear, temperature=0.8, confidence_floor=0.4, floor_precision=0.85)


def write(directory: Path) -> manifest.Manifest:
    path = writer.write_head(directory, "domain", head())
    (directory / "encoder.onnx").write_bytes(b"graph")
    (directory / "tokenizer.json").write_bytes(b"words")
    return writer.write_manifest(
        directory,
        name="small",
        encoder="encoder.onnx",
        tokenizer="tokenizer.json",
        heads={"domain": path},
        geometry=GEOMETRY,
        provenance={"seed": 0},
    )


def test_a_head_reads_back_as_it_was(tmp_path: Path) -> None:
    relative = writer.write_head(tmp_path, "domain", head())
    read = heads.read(tmp_path / relative, 4)
    embedding = np.array([[0.5, 0.5, 0.5, 0.5]], np.float32)
    assert relative == "heads/domain.json"
    assert (read.labels, read.confidence_floor) == (("a", "b", "c"), 0.4)
    probs = list(read.classify(embedding[0]).probs.values())
    assert probs == pytest.approx(head().probs(embedding)[0].tolist(), abs=1e-5)


def test_a_manifest_reads_back_as_it_was(tmp_path: Path) -> None:
    assert write(tmp_path) == manifest.read(tmp_path)


def test_the_same_parts_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    write(tmp_path / "one")
    write(tmp_path / "two")
    for name in ("manifest.json", "heads/domain.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_part_gives_another_version(tmp_path: Path) -> None:
    before = write(tmp_path).version
    (tmp_path / "encoder.onnx").write_bytes(b"graft")
    files = manifest.read(tmp_path).heads
    after = writer.write_manifest(
        tmp_path,
        name="small",
        encoder="encoder.onnx",
        tokenizer="tokenizer.json",
        heads=files,
        geometry=GEOMETRY,
        provenance={"seed": 0},
    ).version
    assert before != after
