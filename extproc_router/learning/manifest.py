"""`strategy.json`: what was learnt, from what, and for which features."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
FILE_NAME = "strategy.json"
MAX_BYTES = 1 << 20

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{12,64}$")]
Count = Annotated[int, Meta(ge=0)]


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """What it was fitted on.

    Attributes:
        sha256: of the outcomes file.
        rows: used.
        low: score that counts as quality 0.
        high: score that counts as quality 1.
    """

    sha256: Hex
    rows: Count
    low: float
    high: float


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """`strategy.json`.

    Attributes:
        format: of this file; `FORMAT` is the one we read.
        version: `content_version` of everything else in here.
        strategy: a name in `STRATEGIES`.
        settings: its settings.
        models: names, in the order of all columns.
        weak: the cheap one of the pair to score; None where no pair was named.
        strong: the dear one.
        features: version of the features it reads.
        encoder: name and version of the encoder, for people.
        data: what it was fitted on.
        seed: of the fit.
        metrics: out of fold; for people.
        arrays_sha256: of `strategy.npz`.
    """

    format: int
    version: str
    strategy: str
    settings: dict[str, Any]
    models: Annotated[list[str], Meta(min_length=1)]
    weak: str | None
    strong: str | None
    features: Hex
    encoder: str
    data: Data
    seed: int
    metrics: dict[str, Any]
    arrays_sha256: Hex


class _Header(Struct, frozen=True):
    format: int


def content_version(manifest: Manifest) -> str:
    """The first 12 hex digits of the SHA-256 over the manifest less `version`, as JSON with sorted keys."""
    content = msgspec.to_builtins(manifest)
    del content["version"]
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:12]


def read(path: Path) -> Manifest:
    """Read it.

    Raises:
        ArtefactError: it is missing, too long, malformed, of an unknown format, does not add up to its own version, or
            contradicts itself; names the file.
    """
    text = read_bytes(path, MAX_BYTES)
    try:
        found = msgspec.json.decode(text, type=_Header).format
        if found != FORMAT:
            raise ArtefactError(f"{path}: format {found}; this version reads {FORMAT}")
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtefactError(f"{path}: {error}") from error
    version = content_version(manifest)
    if version != manifest.version:
        raise ArtefactError(f"{path}: says version {manifest.version}, adds up to {version}")
    if len(set(manifest.models)) != len(manifest.models):
        raise ArtefactError(f"{path}: a model is named twice")
    if (manifest.weak is None) != (manifest.strong is None) or {manifest.weak, manifest.strong} - {
        None,
        *manifest.models,
    }:
        raise ArtefactError(f"{path}: the pair is not among the models")
    return manifest


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a file within a bound.

    Raises:
        ArtefactError: it cannot be read, or is longer than `limit` bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}") from error
    if len(content) > limit:
        raise ArtefactError(f"{path}: longer than {limit} bytes")
    return content
