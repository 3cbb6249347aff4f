"""A model directory, verified: nothing is used before its checksum is right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.encoder import head_file, manifest
from extproc_router.encoder.heads import ChoiceHead, FlagHead, Head, PairHead
from extproc_router.encoder.manifest import FileRecord, Manifest
from extproc_router.encoder.session import HIDDEN_IN, WORDS, Stage
from extproc_router.encoder.spans import SpansHead
from extproc_router.encoder.tokenizer import Tokenizer
from extproc_router.encoder.words import Words
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

KINDS: Mapping[str, type[Head]] = {"choice": ChoiceHead, "flag": FlagHead, "pair": PairHead, "spans": SpansHead}


class Artefact(Struct, frozen=True):
    """The parts of a model directory, which fit each other."""

    manifest: Manifest
    tokenizer: Tokenizer
    words: Words
    stages: tuple[Stage, ...]
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
        words=Words(paths[contents.words], geometry),
        stages=tuple(
            Stage(paths[name], HIDDEN_IN if number else WORDS, geometry.dimension)
            for number, name in enumerate(contents.stages)
        ),
        heads={head: _head(paths[name], contents) for head, name in contents.heads.items()},
    )


def _head(path: Path, contents: Manifest) -> Head:
    file = head_file.read(path, contents.geometry.dimension, len(contents.stages))
    return KINDS[file.kind](file)


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
