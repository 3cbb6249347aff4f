"""The encoder: one pass over a text, every head's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.encoder import artefact
from extproc_router.errors import ArtefactError
from extproc_router.types import Encoding

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from extproc_router.encoder.artefact import Artefact

DOMAIN = "domain"


class Encoder:
    """Text to Encoding; synchronous, without state, safe to call from several threads at once.

    Args:
        parts: a verified model directory.

    Attributes:
        name: the artefact's.
        version: hash of its contents, 12 hex digits.
        labels: of the domain head, in its order.
        confidence_floor: of the domain head, in [0, 1], as recommended by its validation.

    Raises:
        ArtefactError: there is no domain head.
    """

    def __init__(self, parts: Artefact) -> None:
        if DOMAIN not in parts.heads:
            raise ArtefactError(f"{parts.manifest.name}: no head `{DOMAIN}`, only {sorted(parts.heads)}")
        self._tokenizer = parts.tokenizer
        self._session = parts.session
        self._heads = parts.heads
        self._max_tokens = parts.manifest.geometry.max_tokens
        self.name = parts.manifest.name
        self.version = parts.manifest.version
        self.labels = parts.heads[DOMAIN].labels
        self.confidence_floor = parts.heads[DOMAIN].confidence_floor

    def encode(self, text: str) -> Encoding:
        """Read a text once and ask every head.

        A text without a known token (empty, blanks, emoji only) gets equal probabilities: there is nothing to judge.

        Raises:
            EncoderFailed: ONNX Runtime raised.
        """
        tokens = self._tokenizer(text)
        if tokens.legible:
            embedding = self._session.run(tokens.ids)
            answers = {name: head.classify(embedding) for name, head in self._heads.items()}
        else:
            answers = {name: head.abstain() for name, head in self._heads.items()}
        return Encoding(heads=answers, tokens=len(tokens.ids), windowed=tokens.windowed)

    def embed(self, text: str) -> npt.NDArray[np.float32]:
        """Embed a text.

        Returns:
            float32 [dimension], of length 1. The cosine of two texts is the dot product of theirs.

        Raises:
            EncoderFailed: ONNX Runtime raised.
        """
        return self._session.run(self._tokenizer(text).ids)

    def warm_up(self) -> None:
        """Run the shortest and the longest input once, so that no request pays for first allocations."""
        self.encode("warm")
        self.encode("warm " * self._max_tokens)


def load(path: Path) -> Encoder:
    """Load a model directory, verified.

    Raises:
        ArtefactError: it is incomplete, altered or inconsistent.
    """
    return Encoder(artefact.load(path))
