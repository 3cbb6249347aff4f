"""Text to token ids and their places in it, windowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tokenizers
from msgspec import Struct

from extproc_router.encoder import cues, window
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.encoder.window import Clip

_CONTINUED = "##"  # how WordPiece marks a token that goes on with a word
_MARGIN = 64  # characters: a cue may begin in what head and tail show, and end beyond


class Tokens(Struct, frozen=True):
    """What the encoder shall read.

    Attributes:
        ids: with special tokens, at most the geometry's `max_tokens`. There is no padding, hence no mask.
        offsets: for each id the characters [start, end) of the original text that it stands for; (0, 0) for [CLS] and
            [SEP], the first and the last.
        windowed: whether the text was longer than that.
        legible: whether any token is in the vocabulary; False for an empty text or one of unknown symbols only.
    """

    ids: list[int]
    offsets: list[tuple[int, int]]
    windowed: bool
    legible: bool


class Tokenizer:
    """A BERT WordPiece tokenizer with a bounded window; safe to share between threads.

    Args:
        path: a `tokenizer.json` of the `tokenizers` library. Padding and truncation set in it are ignored.
        geometry: what the encoder expects.

    Raises:
        ArtefactError: the file is no tokenizer, lacks [CLS], [SEP] or [UNK], or its vocabulary is of another size or
            has an id beyond it.
    """

    def __init__(self, path: Path, geometry: Geometry) -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ArtefactError(f"{path}: not a tokenizer: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        vocabulary = self._tokenizer.get_vocab_size()
        if vocabulary != geometry.vocabulary:
            raise ArtefactError(f"{path}: {vocabulary} tokens, but the encoder has {geometry.vocabulary}")
        highest = max(self._tokenizer.get_vocab().values(), default=0)
        if highest >= vocabulary:
            raise ArtefactError(f"{path}: {vocabulary} tokens, and one has the id {highest}")
        self._first, self._last, self._unknown = (self._id(path, token) for token in ("[CLS]", "[SEP]", "[UNK]"))
        self._budget = geometry.max_tokens - 2  # [CLS] and [SEP]
        self._characters = geometry.max_tokens * window.CHARACTERS_PER_TOKEN
        self._head_share = geometry.head_share

    def __call__(self, text: str) -> Tokens:
        """Tokenise a text; the cost is bounded whatever its length."""
        clip = window.clip(text, self._characters, self._head_share)
        # A text that spells "[SEP]" is read as the token: harmless, one text is all the encoder sees.
        encoded = self._tokenizer.encode(clip.text, add_special_tokens=False)
        count = len(encoded.ids)
        parts = window.fit(count, self._budget, self._head_share)
        windowed = clip.gap is not None or count > self._budget
        spot = self._spot(text, clip, encoded.offsets, parts) if windowed else None
        if spot is not None:
            if clip.gap is not None:
                clip = window.clip(text, self._characters, self._head_share, spot)
                encoded = self._tokenizer.encode(clip.text, add_special_tokens=False)
            ends = [end for _, end in clip.places(encoded.offsets)]
            center = next((number for number, end in enumerate(ends) if end > spot), len(ends) - 1)
            parts = window.fit(len(ends), self._budget, self._head_share, center)
        return self._kept(clip, encoded, parts, windowed=windowed)

    def continues(self, ids: Sequence[int]) -> list[bool]:
        """Tell for each id whether its token goes on with the word of the one before."""
        return [str(self._tokenizer.id_to_token(number)).startswith(_CONTINUED) for number in ids]

    def _spot(self, text: str, clip: Clip, offsets: Sequence[tuple[int, int]], parts: Sequence[slice]) -> int | None:
        """Find what is worth a look between what head and tail show of a text that is too long."""
        start, end = clip.gap or (len(text), 0)
        if len(parts) > 1:
            head, tail = parts
            start = min(start, clip.places(offsets[head][-1:])[0][1] if head.stop else 0)
            end = max(end, clip.places(offsets[tail][:1])[0][0] if tail.start < tail.stop else len(text))
        if start >= end:
            return None
        margin = max(0, start - _MARGIN), min(len(text), end + _MARGIN)
        return cues.find(text, *margin, round(self._characters * window.BLOCK_SHARE))

    def _kept(self, clip: Clip, encoded: tokenizers.Encoding, parts: Sequence[slice], *, windowed: bool) -> Tokens:
        ids, offsets = encoded.ids, encoded.offsets
        kept = [number for part in parts for number in ids[part]]
        places = clip.places([span for part in parts for span in offsets[part]])
        return Tokens(
            ids=[self._first, *kept, self._last],
            offsets=[(0, 0), *places, (0, 0)],
            windowed=windowed,
            legible=any(token != self._unknown for token in kept),
        )

    def _id(self, path: Path, token: str) -> int:
        number: int | None = self._tokenizer.token_to_id(token)
        if number is None:
            raise ArtefactError(f"{path}: no token {token}")
        return number
