from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.encoder import manifest
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path


def rewrite(tiny: Path, folder: Path, **changes: Any) -> Path:
    content = json.loads((tiny / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def test_a_manifest_names_every_file_once(tiny: Path) -> None:
    contents = manifest.read(tiny)
    assert sorted(contents.paths()) == sorted(contents.files)
    assert len(contents.version) == 12


def test_the_version_ignores_the_order_of_members(tiny: Path, tmp_path: Path) -> None:
    content = json.loads((tiny / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(dict(reversed(content.items()))))
    assert manifest.read(tmp_path).version == content["version"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 1}, "format 1; this version reads 2"),
        ({"format": "1"}, "Expected `int`"),
        ({"name": "renamed"}, "adds up to"),
        ({"version": "0123456789ab"}, "says version 0123456789ab, adds up to"),
        ({"provenance": {"seed": 1}}, "adds up to"),
        ({"words": "other.npy"}, r"no checksum for other\.npy"),
        ({"stages": []}, "length >= 1"),
        ({"stages": ["stage-1.onnx", "stage-9.onnx"]}, r"no checksum for stage-9\.onnx"),
        ({"heads": {}}, "length >= 1"),
        ({"files": {"stage-1.onnx": {"sha256": "ff", "size": 1}}}, "matching regex"),
        ({"geometry": {"dimension": 384}}, "missing required field"),
        ({"surprise": 1}, "unknown field `surprise`"),
    ],
)
def test_a_manifest_that_does_not_add_up(tiny: Path, tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ArtefactError, match=rf"manifest\.json: .*{reason}"):
        manifest.read(rewrite(tiny, tmp_path, **changes))


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"manifest\.json: No such file"):
        manifest.read(tmp_path)


def test_a_manifest_without_end(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b" " * (manifest.MAX_BYTES + 1))
    with pytest.raises(ArtefactError, match="larger than"):
        manifest.read(tmp_path)


@given(content=st.one_of(st.binary(max_size=200), st.just(b"[" * 100_000)))
def test_any_bytes_are_refused_by_name(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"manifest\.json: "):
        manifest.read(folder)
