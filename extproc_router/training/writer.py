"""Write the parts of a model directory that bind it together: the head's file and the manifest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.encoder import manifest
from extproc_router.encoder.heads import HeadFile
from extproc_router.encoder.manifest import FileRecord, Geometry, Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.training.fit import CalibratedHead

_DIGITS = 6  # of weights and bias: the change in a probability is below 1e-5


def write_head(directory: Path, name: str, head: CalibratedHead) -> str:
    """Write `heads/<name>.json`.

    Args:
        directory: of the model.
        name: of the head.
        head: what was fitted.

    Returns:
        Its path relative to the directory.
    """
    relative = f"heads/{name}.json"
    path = directory / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    file = HeadFile(
        labels=list(head.labels),
        weights=[[round(value, _DIGITS) for value in row] for row in head.linear.weights.tolist()],
        bias=[round(value, _DIGITS) for value in head.linear.bias.tolist()],
        temperature=round(head.temperature, _DIGITS),
        confidence_floor=head.confidence_floor,
        floor_precision=head.floor_precision,
    )
    path.write_bytes(_pretty(file))
    return relative


def write_manifest(
    directory: Path,
    *,
    name: str,
    encoder: str,
    tokenizer: str,
    heads: dict[str, str],
    geometry: Geometry,
    provenance: dict[str, Any],
) -> Manifest:
    """Write `manifest.json` over files that are already there, last, so that a half-written directory does not load.

    Args:
        directory: of the model.
        name: of the artefact.
        encoder: path of the ONNX file, relative.
        tokenizer: path of the tokenizer, relative.
        heads: head name -> path, relative.
        geometry: sizes.
        provenance: what it was made from; JSON values without clock readings, or the version would change every time.

    Returns:
        The manifest as written.
    """
    files = {path: _record(directory / path) for path in sorted({encoder, tokenizer, *heads.values()})}
    contents = Manifest(
        format=manifest.FORMAT,
        name=name,
        version="",
        encoder=encoder,
        tokenizer=tokenizer,
        heads=heads,
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
