from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import msgspec
import pytest

from extproc_router.encoder import artefact, manifest
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.encoder.manifest import Manifest

    Reseal = Callable[..., Manifest]

PARTS = ["encoder.onnx", "tokenizer.json", "heads/domain.json"]


def test_a_copy_loads_as_the_same_version(directory: Path, shipped: Path) -> None:
    assert artefact.load(directory).manifest == manifest.read(shipped)


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


def test_a_head_with_a_label_too_few(directory: Path, reseal: Reseal) -> None:
    path = directory / "heads" / "domain.json"
    head = json.loads(path.read_text())
    head["labels"].pop()
    path.write_text(json.dumps(head))
    reseal(directory)
    with pytest.raises(ArtefactError, match=r"domain\.json: 13 labels, 14 rows of weights"):
        artefact.load(directory)


def test_a_tokenizer_of_another_encoder(directory: Path, reseal: Reseal) -> None:
    path = directory / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["model"]["vocab"]["one more"] = 30_522
    path.write_text(json.dumps(tokenizer))
    reseal(directory)
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: 30523 tokens, but the encoder has 30522"):
        artefact.load(directory)


def test_an_encoder_that_is_none(directory: Path, reseal: Reseal) -> None:
    (directory / "encoder.onnx").write_bytes(b"\0" * 100)
    reseal(directory)
    with pytest.raises(ArtefactError, match=r"encoder\.onnx: ONNX Runtime cannot load it"):
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


def test_a_link_inside_the_directory_is_how_kubernetes_mounts(directory: Path, shipped: Path) -> None:
    (directory / "..data").mkdir()
    (directory / "tokenizer.json").rename(directory / "..data" / "tokenizer.json")
    (directory / "tokenizer.json").symlink_to("..data/tokenizer.json")
    assert artefact.load(directory).manifest == manifest.read(shipped)


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
