"""A model directory, verified: nothing is used before its checksum is right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.encoder import heads, manifest
from extproc_router.encoder.heads import Head
from extproc_router.encoder.manifest import FileRecord, Manifest
from extproc_router.encoder.session import Session
from extproc_router.encoder.tokenizer import Tokenizer
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path


class Artefact(Struct, frozen=True):
    """The parts of a model directory, which fit each other."""

    manifest: Manifest
    tokenizer: Tokenizer
    session: Session
    heads: Mapping[str, Head]


def load(directory: Path) -> Artefact:
    """Read, verify and open a model directory.

    Raises:
        ArtefactError: a file is missing, truncated, altered, malformed or outside the directory, or two files do not
            fit each other; names the file and says why.
    """
    contents = manifest.read(directory)
    paths = {name: _verified(directory, name, contents.files[name]) for name in contents.paths()}
    geometry = contents.geometry
    return Artefact(
        manifest=contents,
        tokenizer=Tokenizer(paths[contents.tokenizer], geometry),
        session=Session(paths[contents.encoder], geometry.dimension),
        heads={head: heads.read(paths[name], geometry.dimension) for head, name in contents.heads.items()},
    )


def _verified(directory: Path, name: str, record: FileRecord) -> Path:
    path = directory / name
    try:
        # Resolved first: a mounted ConfigMap is made of links, which is fine as long as they stay inside.
        if not path.resolve(strict=True).is_relative_to(directory.resolve(strict=True)):
            raise ArtefactError(f"{path}: outside the model directory")
        size = path.stat().st_size
        if size != record.size:
            raise ArtefactError(f"{path}: {size} bytes, the manifest says {record.size}")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ArtefactError(f"{path}: {reason}") from error
    if digest != record.sha256:
        raise ArtefactError(f"{path}: sha256 is {digest}, the manifest says {record.sha256}")
    return path
