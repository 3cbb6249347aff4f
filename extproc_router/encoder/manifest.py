"""The table of contents of a model directory: what belongs together, with checksums."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from extproc_router import regular_file
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 2
FILE_NAME = "manifest.json"
MAX_BYTES = 1 << 20  # a manifest is a few KB

Count = Annotated[int, Meta(ge=1)]


class FileRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its SHA-256 in hex and its size in bytes."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Meta(ge=0)]


class Geometry(Struct, frozen=True, forbid_unknown_fields=True):
    """The sizes on which graph, tokenizer, heads and window must agree.

    Attributes:
        dimension: of the embedding.
        vocabulary: how many tokens the encoder knows.
        max_tokens: window, [CLS] and [SEP] included.
        head_share: part of the window given to the head of the text, in [0, 1]; the tail gets the rest.
    """

    dimension: Count
    vocabulary: Count
    max_tokens: Annotated[int, Meta(ge=3, le=512)]
    head_share: Annotated[float, Meta(ge=0.0, le=1.0)]


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """`manifest.json`.

    Attributes:
        format: of this file; `FORMAT` is the one we read.
        name: of the artefact.
        version: `content_version` of everything else in here.
        tokenizer: path of the tokenizer. All paths are relative to the directory, with `/`.
        words: path of the word vectors.
        stages: paths of the ONNX files, in the order in which they run.
        heads: head name -> path.
        geometry: what they agree on.
        files: path -> checksum, for every file named above.
        provenance: what it was made from and with; for people.
    """

    format: int
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    version: str
    tokenizer: str
    words: str
    stages: Annotated[list[str], Meta(min_length=1)]
    heads: Annotated[dict[str, str], Meta(min_length=1)]
    geometry: Geometry
    files: dict[str, FileRecord]
    provenance: dict[str, Any]

    def paths(self) -> tuple[str, ...]:
        """Every file that the artefact needs."""
        return (self.tokenizer, self.words, *self.stages, *self.heads.values())


class _Header(Struct, frozen=True):
    format: int


def content_version(manifest: Manifest) -> str:
    """The first 12 hex digits of the SHA-256 over the manifest less `version`, as JSON with sorted keys."""
    content = msgspec.to_builtins(manifest)
    del content["version"]
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:12]


def read(directory: Path) -> Manifest:
    """Read a directory's manifest.

    Raises:
        ArtefactError: it is missing, too long, not JSON, of an unknown format, incomplete, or does not add up to its
            own version.
    """
    path = directory / FILE_NAME
    try:
        text = regular_file.read(path, MAX_BYTES)
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror}") from error
    try:
        found = msgspec.json.decode(text, type=_Header).format
        if found != FORMAT:
            raise ArtefactError(f"{path}: format {found}; this version reads {FORMAT}")
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtefactError(f"{path}: {error}") from error
    for name in manifest.paths():
        if name not in manifest.files:
            raise ArtefactError(f"{path}: no checksum for {name}")
    version = content_version(manifest)
    if version != manifest.version:
        raise ArtefactError(f"{path}: says version {manifest.version}, adds up to {version}")
    return manifest
