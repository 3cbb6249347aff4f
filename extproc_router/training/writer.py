"""Write the parts of a model directory that bind it together: the heads' files and the manifest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.encoder import manifest
from extproc_router.encoder.manifest import FileRecord, Geometry, Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from extproc_router.encoder.head_file import HeadFile


def write_head(directory: Path, name: str, head: HeadFile) -> str:
    """Write `heads/<name>.json`.

    Args:
        directory: of the model.
        name: of the head.
        head: what to write.

    Returns:
        Its path relative to the directory.
    """
    relative = f"heads/{name}.json"
    path = directory / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_pretty(head))
    return relative


def write_manifest(
    directory: Path,
    *,
    name: str,
    words: str,
    stages: Sequence[str],
    tokenizer: str,
    heads: Mapping[str, str],
    geometry: Geometry,
    provenance: dict[str, Any],
) -> Manifest:
    """Write `manifest.json` over files that are already there, last, so that a half-written directory does not load.

    Args:
        directory: of the model.
        name: of the artefact.
        words: path of the word vectors, relative.
        stages: paths of the ONNX files in order, relative.
        tokenizer: path of the tokenizer, relative.
        heads: head name -> path, relative.
        geometry: sizes.
        provenance: what it was made from; JSON values without clock readings, or the version would change every time.

    Returns:
        The manifest as written.
    """
    files = {path: _record(directory / path) for path in sorted({words, tokenizer, *stages, *heads.values()})}
    contents = Manifest(
        format=manifest.FORMAT,
        name=name,
        version="",
        words=words,
        stages=list(stages),
        tokenizer=tokenizer,
        heads=dict(heads),
        geometry=geometry,
        files=files,
        provenance=provenance,
    )
    contents = msgspec.structs.replace(contents, version=manifest.content_version(contents))
    (directory / manifest.FILE_NAME).write_bytes(_pretty(contents))
    return contents


def _record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        return FileRecord(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)


def _pretty(value: msgspec.Struct) -> bytes:
    # One row of weights a line would be 384 lines each: indent the manifest, keep long rows on their line.
    return msgspec.json.format(msgspec.json.encode(value), indent=1 if isinstance(value, Manifest) else 0) + b"\n"
