"""Embed many texts as the server would, at every tier, with a cache on disk."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from extproc_router import surface
from extproc_router.encoder import heads, shapes, words
from extproc_router.encoder.session import HIDDEN_IN, WORDS, Output, Stage
from extproc_router.encoder.tokenizer import Tokenizer
from extproc_router.encoder.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from extproc_router.encoder.head_file import Scale
    from extproc_router.encoder.manifest import Geometry
    from extproc_router.encoder.tokenizer import Tokens

_STEP = 200  # texts between two reports of progress
_WITHIN = slice(1, -1)  # tokens without [CLS] and [SEP]


class Files(Struct, frozen=True):
    """What turns text into vectors."""

    words: Path
    stages: tuple[Path, ...]
    tokenizer: Path


class Embeddings(Struct, frozen=True):
    """n texts at every tier.

    Attributes:
        static: float32 [n, dimension], tier 0.
        means: for each stage float32 [n, dimension]; the last is what `Encoder.embed` gives.
        focuses: for each stage float32 [n, dimension].
        surface: float64 [n, surface.SIZE], as read.
    """

    static: npt.NDArray[np.float32]
    means: tuple[npt.NDArray[np.float32], ...]
    focuses: tuple[npt.NDArray[np.float32], ...]
    surface: npt.NDArray[np.float64]

    def inputs(self, tier: int, names: Sequence[str], scale: Scale | None) -> npt.NDArray[np.float32]:
        """Return float32 [n, width], what a head with these inputs reads at a tier; its own arithmetic."""
        scaled = heads.scale(scale, self.surface) if scale else None
        mean, focus = (self.means[tier - 1], self.focuses[tier - 1]) if tier else (self.static, None)
        return heads.vector(names, mean, focus, scaled).astype(np.float32)

    def take(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Embeddings:
        """Return the rows at `index`."""
        return Embeddings(
            static=self.static[index],
            means=tuple(mean[index] for mean in self.means),
            focuses=tuple(focus[index] for focus in self.focuses),
            surface=self.surface[index],
        )


class TokenStates(Struct, frozen=True):
    """One text, token by token, special tokens excluded.

    Attributes:
        offsets: characters [start, end) of each.
        continues: whether each goes on with the word of the one before.
        states: for each stage float32 [tokens, dimension].
        shapes: float32 [tokens, shapes.SIZE].
    """

    offsets: list[tuple[int, int]]
    continues: list[bool]
    states: tuple[npt.NDArray[np.float32], ...]
    shapes: npt.NDArray[np.float32]

    def inputs(self, tier: int) -> npt.NDArray[np.float32]:
        """Return float32 [tokens, width], what a tagger reads at a tier, 1 or above."""
        return np.concatenate([self.states[tier - 1], self.shapes], axis=1)


class Embedder:
    """The parts of a model directory that heads build on.

    Raises:
        ArtefactError: the files cannot be loaded or do not fit.
    """

    def __init__(self, files: Files, geometry: Geometry) -> None:
        self.tokenizer = Tokenizer(files.tokenizer, geometry)
        self._words = Words(files.words, geometry)
        self._stages = [
            Stage(path, HIDDEN_IN if number else WORDS, geometry.dimension) for number, path in enumerate(files.stages)
        ]

    def run(self, tokens: Tokens) -> tuple[npt.NDArray[np.float32], list[Output]]:
        """Return tier 0's vector, float32 [dimension], and each stage's output."""
        vectors, idf = self._words.look_up(tokens.ids)
        hidden, outputs = vectors[None], []
        for stage in self._stages:
            outputs.append(stage.run(hidden))
            hidden = outputs[-1].hidden
        return words.mean(vectors[_WITHIN], idf[_WITHIN]), outputs

    def row(self, text: str) -> npt.NDArray[np.float32]:
        """Return float32 [1 + 2 * stages, dimension]: the static mean, then each stage's mean, then its focus."""
        static, outputs = self.run(self.tokenizer(text))
        return np.stack([static, *(output.mean for output in outputs), *(output.focus for output in outputs)])

    def token_states(self, texts: Sequence[str]) -> Iterator[TokenStates]:
        """Yield the token states of each text: some hundred kilobytes each, nothing is kept."""
        for text in texts:
            tokens = self.tokenizer(text)
            _, outputs = self.run(tokens)
            offsets, continues = tokens.offsets[_WITHIN], self.tokenizer.continues(tokens.ids[_WITHIN])
            yield TokenStates(
                offsets=offsets,
                continues=continues,
                states=tuple(output.hidden[0, _WITHIN] for output in outputs),
                shapes=shapes.read(text, offsets, continues),
            )


def embed(
    texts: Sequence[str],
    files: Files,
    geometry: Geometry,
    *,
    cache: Path,
    workers: int,
    progress: Callable[[int], None],
) -> Embeddings:
    """Embed texts, one at a time on each of `workers` threads.

    Args:
        texts: to embed, at least one.
        files: words, stages and tokenizer.
        geometry: that fits them.
        cache: directory, made if missing; one file for each set of texts, encoder and window.
        workers: threads.
        progress: is told how many texts are done, every few seconds.

    Raises:
        ArtefactError: the files cannot be loaded or do not fit.
    """
    stored = cache / f"{_fingerprint(texts, files, geometry)}.npy"
    vectors = _kept(stored)
    if vectors is None:
        vectors = _embedded(texts, Embedder(files, geometry), workers, progress)
        cache.mkdir(parents=True, exist_ok=True)
        partial = stored.with_suffix(".partial.npy")
        np.save(partial, vectors)
        partial.replace(stored)
    stages = len(files.stages)
    return Embeddings(
        static=vectors[0],
        means=tuple(vectors[1 : 1 + stages]),
        focuses=tuple(vectors[1 + stages :]),
        surface=np.array([surface.read(text) for text in texts]),
    )


def _kept(stored: Path) -> npt.NDArray[np.float32] | None:
    """Return what an earlier run embedded; None where there is nothing, or what a full disk left of it."""
    try:
        vectors: npt.NDArray[np.float32] = np.load(stored, allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return vectors


def _embedded(
    texts: Sequence[str], embedder: Embedder, workers: int, progress: Callable[[int], None]
) -> npt.NDArray[np.float32]:
    rows: list[npt.NDArray[np.float32]] = []
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(texts), _STEP):
            rows.extend(pool.map(embedder.row, texts[start : start + _STEP]))
            progress(len(rows))
    return np.stack(rows, axis=1)


def _fingerprint(texts: Sequence[str], files: Files, geometry: Geometry) -> str:
    digest = hashlib.sha256(repr(geometry).encode())
    for path in (files.words, *files.stages, files.tokenizer):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:24]
