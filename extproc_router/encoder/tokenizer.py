"""Text to token ids, windowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tokenizers
from msgspec import Struct

from extproc_router.encoder import window
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.encoder.manifest import Geometry


class Tokens(Struct, frozen=True):
    """What the encoder shall read.

    Attributes:
        ids: with special tokens, at most the geometry's `max_tokens`. There is no padding, hence no mask.
        windowed: whether the text was longer than that.
        legible: whether any token is in the vocabulary; False for an empty text or one of unknown symbols only.
    """

    ids: list[int]
    windowed: bool
    legible: bool


class Tokenizer:
    """A BERT WordPiece tokenizer with a bounded window; safe to share between threads.

    Args:
        path: a `tokenizer.json` of the `tokenizers` library. Padding and truncation set in it are ignored.
        geometry: what the encoder expects.

    Raises:
        ArtefactError: the file is no tokenizer, lacks [CLS], [SEP] or [UNK], or its vocabulary is of another size.
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
        self._first, self._last, self._unknown = (self._id(path, token) for token in ("[CLS]", "[SEP]", "[UNK]"))
        self._budget = geometry.max_tokens - 2  # [CLS] and [SEP]
        self._characters = geometry.max_tokens * window.CHARACTERS_PER_TOKEN
        self._head_share = geometry.head_share

    def __call__(self, text: str) -> Tokens:
        """Tokenise a text; the cost is bounded whatever its length."""
        clipped, cut = window.clip(text, self._characters, self._head_share)
        # A text that spells "[SEP]" is read as the token: harmless, one text is all the encoder sees.
        encoded = self._tokenizer.encode(clipped, add_special_tokens=False).ids
        kept, dropped = window.fit(encoded, self._budget, self._head_share)
        return Tokens(
            ids=[self._first, *kept, self._last],
            windowed=cut or dropped,
            legible=any(token != self._unknown for token in kept),
        )

    def _id(self, path: Path, token: str) -> int:
        number: int | None = self._tokenizer.token_to_id(token)
        if number is None:
            raise ArtefactError(f"{path}: no token {token}")
        return number
