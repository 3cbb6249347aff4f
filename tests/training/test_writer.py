from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.encoder import head_file, manifest
from extproc_router.encoder.head_file import HeadFile, Reading
from extproc_router.encoder.manifest import Geometry
from extproc_router.training import writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GEOMETRY = Geometry(dimension=4, vocabulary=10, max_tokens=16, head_share=0.5)
PARTS = {"words.npy": b"vectors", "stage-1.onnx": b"graph", "stage-2.onnx": b"graph", "tokenizer.json": b"words"}


def head() -> HeadFile:
    reading = Reading(
        weights=[[0.25, -1.5, 0.0, 2.0], [1.0, 0.5, -0.125, 0.0]],
        bias=[0.1, -0.1],
        temperature=0.8,
        trust=None,
        exit_above=None,
        exit_below=None,
    )
    return HeadFile(
        kind="choice",
        labels=["a", "b"],
        inputs=["mean"],
        surface=None,
        readings=[None, None, reading],
        threshold=None,
        confidence_floor=0.4,
        floor_precision=0.85,
        models=None,
        enabled=True,
        card={"rows": 20},
    )


def write(directory: Path, heads: Mapping[str, str] | None = None) -> manifest.Manifest:
    return writer.write_manifest(
        directory,
        name="small",
        words="words.npy",
        stages=["stage-1.onnx", "stage-2.onnx"],
        tokenizer="tokenizer.json",
        heads=heads or {"domain": writer.write_head(directory, "domain", head())},
        geometry=GEOMETRY,
        provenance={"seed": 0},
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return filled(tmp_path / "small")


def filled(directory: Path) -> Path:
    directory.mkdir()
    for name, content in PARTS.items():
        (directory / name).write_bytes(content)
    return directory


def test_a_head_reads_back_as_it_was(directory: Path) -> None:
    relative = writer.write_head(directory, "domain", head())
    assert relative == "heads/domain.json"
    assert head_file.read(directory / relative, dimension=4, stages=2) == head()


def test_a_manifest_reads_back_as_it_was(directory: Path) -> None:
    written = write(directory)
    assert written == manifest.read(directory)
    assert set(written.files) == {*PARTS, "heads/domain.json"}


def test_the_same_parts_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = filled(tmp_path / "one"), filled(tmp_path / "two")
    write(one)
    write(two)
    for name in ("manifest.json", "heads/domain.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.parametrize("part", PARTS)
def test_another_part_gives_another_version(directory: Path, part: str) -> None:
    before = write(directory)
    (directory / part).write_bytes(b"graft")
    assert write(directory, before.heads).version != before.version
