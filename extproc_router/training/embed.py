"""Embed many texts as the server would, with a cache on disk."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.encoder.session import Session
from extproc_router.encoder.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from extproc_router.encoder.manifest import Geometry

_STEP = 200  # texts between two reports of progress


class Files(Struct, frozen=True):
    """The two files that turn text into an embedding."""

    encoder: Path
    tokenizer: Path


def embed(
    texts: Sequence[str],
    files: Files,
    geometry: Geometry,
    *,
    cache: Path,
    workers: int,
    progress: Callable[[int], None],
) -> npt.NDArray[np.float32]:
    """Embed texts, one at a time on each of `workers` threads.

    Args:
        texts: to embed.
        files: encoder and tokenizer.
        geometry: that fits them.
        cache: directory, made if missing; one file for each set of texts, encoder and window.
        workers: threads.
        progress: is told how many texts are done, every few seconds.

    Returns:
        float32 [texts, dimension].

    Raises:
        ArtefactError: the files cannot be loaded or do not fit.
    """
    stored = cache / f"{_fingerprint(texts, files, geometry)}.npy"
    if stored.exists():
        embeddings: npt.NDArray[np.float32] = np.load(stored)
        return embeddings
    tokenizer, session = Tokenizer(files.tokenizer, geometry), Session(files.encoder, geometry.dimension)
    rows: list[npt.NDArray[np.float32]] = []
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(texts), _STEP):
            batch = texts[start : start + _STEP]
            rows.extend(pool.map(lambda text: session.run(tokenizer(text).ids), batch))
            progress(len(rows))
    embeddings = np.stack(rows)
    cache.mkdir(parents=True, exist_ok=True)
    partial = stored.with_suffix(".partial.npy")
    np.save(partial, embeddings)
    partial.replace(stored)
    return embeddings


def _fingerprint(texts: Sequence[str], files: Files, geometry: Geometry) -> str:
    digest = hashlib.sha256(repr(geometry).encode())
    for path in (files.encoder, files.tokenizer):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:24]
