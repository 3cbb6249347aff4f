"""The last answers, by the text that was asked: agents send the same prefix all day."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extproc_router.types import Encoding

ENTRIES = 2048
LONGEST = 1 << 18  # characters: of a longer text the hash would cost what a window of it does


class Recent:
    """A bounded memory of encodings, least recently used first to go; safe to share between threads.

    No text is kept: keys are 128-bit BLAKE2b hashes of the text and of what was asked.

    Args:
        entries: how many; 0 remembers nothing.

    Attributes:
        hits: questions that were answered from it.
    """

    def __init__(self, entries: int = ENTRIES) -> None:
        self._entries = entries
        self._kept: OrderedDict[bytes, Encoding] = OrderedDict()
        self._lock = Lock()
        self.hits = 0

    def key(self, text: str, asked: Iterable[str], *, tiers: bool, embedding: bool) -> bytes | None:
        """Return the key of a question; None where it is not worth remembering."""
        if not self._entries or len(text) > LONGEST:
            return None
        question = "\0".join([*sorted(asked), f"{tiers:d}{embedding:d}", ""])
        digest = hashlib.blake2b(question.encode(), digest_size=16)
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def get(self, key: bytes | None) -> Encoding | None:
        """Return what is remembered."""
        if key is None:
            return None
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                self.hits += 1
            return found

    def put(self, key: bytes | None, encoding: Encoding) -> None:
        """Remember an answer."""
        if key is None:
            return
        with self._lock:
            self._kept[key] = encoding
            self._kept.move_to_end(key)
            if len(self._kept) > self._entries:
                self._kept.popitem(last=False)
