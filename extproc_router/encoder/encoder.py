"""The encoder: one pass over a text, or as little of one as it takes; every head's answer."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from extproc_router.encoder import artefact, cues, recent, tiers, words
from extproc_router.encoder.heads import Page, View
from extproc_router.encoder.recent import Recent
from extproc_router.errors import ArtefactError
from extproc_router.types import Encoding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from extproc_router.encoder.artefact import Artefact
    from extproc_router.encoder.heads import Head
    from extproc_router.encoder.tokenizer import Tokens

DOMAIN = "domain"
JAILBREAK = "jailbreak"
_APART = 64  # characters between two tokens that were not left out of the window on purpose


class Encoder:
    """Text to Encoding; synchronous, safe to call from several threads at once.

    Args:
        parts: a verified model directory.
        remember: how many of the last answers are kept; 0 for none.

    Attributes:
        name: the artefact's.
        version: hash of its contents, 12 hex digits.
        tiers: how many it has; the last is `tiers - 1`.
        heads: by name.
        signals: names of all heads.
        enabled: names of those that are computed unasked.
        labels: of the domain head, in its order.
        confidence_floor: of the domain head, in [0, 1], as recommended by its validation.
        recent: the last answers.

    Raises:
        ArtefactError: there is no domain head, or it is no choice.
    """

    def __init__(self, parts: Artefact, *, remember: int = recent.ENTRIES) -> None:
        if DOMAIN not in parts.heads:
            raise ArtefactError(f"{parts.manifest.name}: no head `{DOMAIN}`, only {sorted(parts.heads)}")
        domain = parts.heads[DOMAIN].file
        if domain.kind != "choice":
            raise ArtefactError(f"{parts.manifest.name}: the head `{DOMAIN}` is of kind {domain.kind}, not choice")
        self._parts = parts
        self._final = len(parts.stages)
        self.tiers = self._final + 1
        self.name = parts.manifest.name
        self.version = parts.manifest.version
        self.heads = parts.heads
        self.signals = tuple(parts.heads)
        self.enabled = tuple(name for name, head in parts.heads.items() if head.file.enabled)
        self.labels = tuple(domain.labels)
        self.confidence_floor = domain.confidence_floor
        self.recent = Recent(remember)

    def encode(
        self, text: str, signals: Collection[str] | None = None, *, tiers: bool = True, embedding: bool = False
    ) -> Encoding:
        """Read a text and ask heads.

        A text without a known token (empty, blanks, emoji only) is not judged: the answers say that nothing is known.

        Args:
            text: any.
            signals: names of the heads to ask; None for all that are enabled.
            tiers: whether a tier before the last may answer where it is sure enough. Where the words themselves
                speak of an attack (`cues`), the last tier alone denies one: a mean of word vectors is easily diluted.
            embedding: whether to give the text's embedding, which takes the last tier: it answers everything then.

        Raises:
            ValueError: there is no such head.
            EncoderFailed: ONNX Runtime raised.
        """
        asked = self._asked(signals)
        key = self.recent.key(text, asked, tiers=tiers, embedding=embedding)
        encoding = self.recent.get(key)
        if encoding is None:
            encoding = self._read(text, asked, early=tiers and not embedding, embedding=embedding)
            self.recent.put(key, encoding)
        return encoding

    def embed(self, text: str) -> npt.NDArray[np.float32]:
        """Embed a text.

        Returns:
            float32 [dimension], of length 1. The cosine of two texts is the dot product of theirs.

        Raises:
            EncoderFailed: ONNX Runtime raised.
        """
        return self.read_to(text, self._final).mean

    def read_to(self, text: str, tier: int) -> View:
        """Compute what a tier sees of a text; heads are not asked.

        Raises:
            EncoderFailed: ONNX Runtime raised.
        """
        *_, last = islice(self._views(text, self._parts.tokenizer(text)), tier + 1)
        return last

    def warm_up(self) -> None:
        """Run the shortest and the longest input once, so that no request pays for first allocations."""
        for text in ("warm", "warm " * self._parts.manifest.geometry.max_tokens):
            self._read(text, dict(self.heads), early=False, embedding=True)

    def _asked(self, signals: Collection[str] | None) -> dict[str, Head]:
        names = self.enabled if signals is None else signals
        unknown = sorted(set(names) - set(self.heads))
        if unknown:
            raise ValueError(f"no head {', '.join(map(repr, unknown))}; {self.name} has {', '.join(self.signals)}")
        return {name: head for name, head in self.heads.items() if name in names}

    def _read(self, text: str, asked: dict[str, Head], *, early: bool, embedding: bool) -> Encoding:
        tokens = self._parts.tokenizer(text)
        if not tokens.legible:
            return Encoding(
                heads={name: head.abstain() for name, head in asked.items()},
                tiers=dict.fromkeys(asked, 0),
                tokens=len(tokens.ids),
                windowed=tokens.windowed,
                abstained=True,
            )
        views = self._views(text, tokens)
        undeniable = {JAILBREAK} if early and JAILBREAK in asked and cues.is_telling(_seen(text, tokens)) else ()
        settled = tiers.settle(asked, views, self._final, early=early, through=embedding, undeniable=undeniable)
        return Encoding(
            heads=settled.answers,
            tiers=settled.tiers,
            tokens=len(tokens.ids),
            windowed=tokens.windowed,
            embedding=tuple(settled.last.mean.tolist()) if embedding and settled.last else None,
        )

    def _views(self, text: str, tokens: Tokens) -> Iterator[View]:
        """Compute tier after tier."""
        within = slice(1, -1)  # without [CLS] and [SEP]
        page = Page(text, tokens.offsets[within], lambda: self._parts.tokenizer.continues(tokens.ids[within]))
        vectors, idf = self._parts.words.look_up(tokens.ids)
        yield View(0, page, words.mean(vectors[within], idf[within]), focus=None, hidden=None)
        hidden = vectors[None]
        for number, stage in enumerate(self._parts.stages, start=1):
            output = stage.run(hidden)
            hidden = output.hidden
            yield View(number, page, output.mean, output.focus, hidden[0, within])


def _seen(text: str, tokens: Tokens) -> str:
    """Return what the tokens stand for, a line for each stretch of the text."""
    parts: list[str] = []
    start, end = tokens.offsets[1][0], 0
    for first, last in tokens.offsets[1:-1]:
        if first - end > _APART and end:
            parts.append(text[start:end])
            start = first
        end = last
    return "\n".join((*parts, text[start:end]))


def load(path: Path, *, remember: int = recent.ENTRIES) -> Encoder:
    """Load a model directory, verified.

    Args:
        path: the directory.
        remember: how many of the last answers are kept; 0 for none, so that time measured is time spent.

    Raises:
        ArtefactError: it is incomplete, altered or inconsistent.
    """
    return Encoder(artefact.load(path), remember=remember)
