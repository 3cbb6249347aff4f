"""A conversation stays with its model where that serves it well enough: the upstream's KV cache is warm there."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from extproc_router.policy.base import Ranked

HELD = "held"
YIELDED = "yielded"

_MIN_SECRET, _MAX_SECRET = 16, 64  # bytes; BLAKE2b takes no longer key


class Held:
    """Remembers which model each conversation had; the least recently used is forgotten first.

    No key is kept, but its keyed 128-bit hash. One thread may `put` while another one does `get`, without a lock:
    under CPython each step below is a single method of `OrderedDict`, written in C, and no key of type bytes calls
    back into Python. Between two steps an entry may go; that is suppressed, and costs one conversation its place.

    Args:
        capacity: conversations, at least 1; some 200 bytes each.
        secret: 16 to 64 random bytes of this instance, so that nobody can choose keys which collide.
    """

    def __init__(self, capacity: int, secret: bytes) -> None:
        if capacity < 1:
            raise ValueError("a memory of conversations holds at least one")
        if not _MIN_SECRET <= len(secret) <= _MAX_SECRET:
            raise ValueError(f"the secret must have {_MIN_SECRET} to {_MAX_SECRET} bytes")
        self._capacity = capacity
        self._secret = secret
        self._models: OrderedDict[bytes, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._models)

    def get(self, key: str) -> str | None:
        """Return the name of the model that this conversation had last; None where that is not known."""
        digest = self._digest(key)
        model = self._models.get(digest)
        if model is not None:
            with suppress(KeyError):
                self._models.move_to_end(digest)
        return model

    def put(self, key: str, model: str) -> None:
        """Remember it; where memory is full, forget another one."""
        digest = self._digest(key)
        self._models[digest] = model
        with suppress(KeyError):
            self._models.move_to_end(digest)
            if len(self._models) > self._capacity:
                self._models.popitem(last=False)

    def _digest(self, key: str) -> bytes:
        return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()


def hold(ranked: Ranked, previous: str | None) -> tuple[Ranked, str, str]:
    """Let a conversation keep its model where the strategy finds that acceptable.

    Args:
        ranked: what the strategy wants.
        previous: name of the model that the conversation had; None where it had none.

    Returns:
        The order, the previous model first where it is held; `held`, `yielded` or nothing; half a sentence why.
    """
    if previous is None:
        return ranked, "", ""
    kept = next((candidate for candidate in ranked.order if candidate.name == previous), None)
    if kept is None:
        return ranked, YIELDED, f"{previous} cannot serve this request"
    if previous not in ranked.acceptable:
        return ranked, YIELDED, f"{previous} does not suffice: {ranked.why}"
    order = (kept, *(candidate for candidate in ranked.order if candidate is not kept))
    return replace(ranked, order=order), HELD, f"the conversation stays with {previous}"
