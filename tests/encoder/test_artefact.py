from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from extproc_router.encoder import artefact, manifest
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.encoder.manifest import Manifest

    Reseal = Callable[..., Manifest]
    ChangeHead = Callable[..., None]

PARTS = ["words.npy", "stage-1.onnx", "stage-2.onnx", "tokenizer.json", "heads/domain.json"]


def test_a_copy_loads_as_the_same_version(directory: Path, tiny: Path) -> None:
    assert artefact.load(directory).manifest == manifest.read(tiny)


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_file(directory: Path, part: str) -> None:
    (directory / part).unlink()
    with pytest.raises(ArtefactError, match=f"{part}: No such file"):
        artefact.load(directory)


@pytest.mark.parametrize("part", PARTS)
def test_a_truncated_file(directory: Path, part: str) -> None:
    content = (directory / part).read_bytes()
    (directory / part).write_bytes(content[:-1])
    with pytest.raises(ArtefactError, match=f"{part}: {len(content) - 1} bytes, the manifest says {len(content)}"):
        artefact.load(directory)


@pytest.mark.parametrize("part", PARTS)
def test_one_altered_byte(directory: Path, part: str) -> None:
    content = bytearray((directory / part).read_bytes())
    content[len(content) // 2] ^= 1
    (directory / part).write_bytes(content)
    with pytest.raises(ArtefactError, match=f"{part}: sha256 is .*, the manifest says"):
        artefact.load(directory)


def test_a_head_with_a_label_too_few(directory: Path, reseal: Reseal, change_head: ChangeHead) -> None:
    change_head(directory, "tone", labels=["kind", "rude", "cold"])
    reseal(directory)
    with pytest.raises(ArtefactError, match=r"tone\.json: tier 2: 3 labels, 2 rows of weights"):
        artefact.load(directory)


def test_a_head_of_an_encoder_with_fewer_stages(directory: Path, reseal: Reseal, change_head: ChangeHead) -> None:
    readings = json.loads((directory / "heads/tone.json").read_text())["readings"]
    change_head(directory, "tone", readings=readings[1:])
    reseal(directory)
    with pytest.raises(ArtefactError, match=r"tone\.json: 2 readings, the encoder has 3 tiers"):
        artefact.load(directory)


def test_a_tokenizer_of_another_encoder(directory: Path, reseal: Reseal) -> None:
    path = directory / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["vocab"]["one more"] = 13
    path.write_text(json.dumps(tokenizer))
    reseal(directory)
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: 14 tokens, but the encoder has 13"):
        artefact.load(directory)


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (np.zeros((13, 11), np.int8), r"int8 \(13, 11\)"),
        (np.zeros((12, 12), np.int8), r"int8 \(12, 12\)"),
        (np.zeros((13, 12), np.uint8), r"uint8 \(13, 12\)"),
        (np.zeros(156, np.int8), r"int8 \(156,\)"),
    ],
)
def test_word_vectors_of_another_encoder(directory: Path, reseal: Reseal, table: Any, found: str) -> None:
    np.save(directory / "words.npy", table)
    reseal(directory)
    with pytest.raises(
        ArtefactError, match=rf"words\.npy: word vectors are {found}, the manifest says int8 \(13, 12\)"
    ):
        artefact.load(directory)


def test_stages_in_the_wrong_order(directory: Path, reseal: Reseal) -> None:
    reseal(directory, stages=["stage-2.onnx", "stage-1.onnx"])
    with pytest.raises(ArtefactError, match=r"stage-2\.onnx: the graph's inputs and outputs are .*'hidden_in'"):
        artefact.load(directory)


def test_a_stage_that_is_none(directory: Path, reseal: Reseal) -> None:
    (directory / "stage-1.onnx").write_bytes(b"\0" * 100)
    reseal(directory)
    with pytest.raises(ArtefactError, match=r"stage-1\.onnx: ONNX Runtime cannot load it"):
        artefact.load(directory)


@pytest.mark.parametrize("name", ["../secret.json", "/etc/hostname", "heads/../../secret.json"])
def test_a_path_that_leaves_the_directory(directory: Path, reseal: Reseal, name: str) -> None:
    (directory.parent / "secret.json").write_text("{}")
    reseal(directory, heads={"domain": name})
    with pytest.raises(ArtefactError, match="outside the model directory"):
        artefact.load(directory)


def test_a_link_that_leaves_the_directory(directory: Path) -> None:
    outside = shutil.copy(directory / "tokenizer.json", directory.parent / "outside.json")
    (directory / "tokenizer.json").unlink()
    (directory / "tokenizer.json").symlink_to(outside)
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: outside the model directory"):
        artefact.load(directory)


def test_a_link_inside_the_directory_is_how_kubernetes_mounts(directory: Path, tiny: Path) -> None:
    (directory / "..data").mkdir()
    (directory / "tokenizer.json").rename(directory / "..data" / "tokenizer.json")
    (directory / "tokenizer.json").symlink_to("..data/tokenizer.json")
    assert artefact.load(directory).manifest == manifest.read(tiny)


def test_a_folder_in_a_files_place(directory: Path) -> None:
    (directory / "tokenizer.json").unlink()
    (directory / "tokenizer.json").mkdir()
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: "):
        artefact.load(directory)


def test_a_name_that_is_no_path(directory: Path) -> None:
    content = json.loads((directory / "manifest.json").read_text())
    content["files"]["a\0b"] = content["files"].pop("tokenizer.json")
    content["tokenizer"] = "a\0b"
    contents = msgspec.convert(content, manifest.Manifest)
    content["version"] = manifest.content_version(contents)
    (directory / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ArtefactError, match="null"):
        artefact.load(directory)
