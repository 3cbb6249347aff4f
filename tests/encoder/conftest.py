from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from extproc_router import encoder
from extproc_router.encoder import manifest
from extproc_router.encoder.manifest import FileRecord, Geometry, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def shipped(root: Path) -> Path:
    return root / "models" / "minilm-l6-domain"


@pytest.fixture(scope="session")
def model(shipped: Path) -> encoder.Encoder:
    return encoder.load(shipped)


@pytest.fixture(scope="session")
def geometry(shipped: Path) -> Geometry:
    return manifest.read(shipped).geometry


@pytest.fixture
def directory(shipped: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(shipped, tmp_path / "model")


@pytest.fixture
def reseal() -> Callable[..., Manifest]:
    """Write the manifest anew after a change, so that checksums and version are right and something else is wrong."""

    def seal(directory: Path, **changes: Any) -> Manifest:
        contents = manifest.read(directory)
        contents = msgspec.structs.replace(contents, **changes)
        files = {
            name: FileRecord(
                sha256=hashlib.sha256((directory / name).read_bytes()).hexdigest(),
                size=(directory / name).stat().st_size,
            )
            for name in contents.paths()
        }
        contents = msgspec.structs.replace(contents, files=files)
        contents = msgspec.structs.replace(contents, version=manifest.content_version(contents))
        (directory / manifest.FILE_NAME).write_bytes(msgspec.json.encode(contents))
        return contents

    return seal
