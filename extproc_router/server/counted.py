"""Something that several runtimes share, one after the other and for a while at once; closed when the last lets go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Counted(Generic[T]):
    """A thing and how many hold it: at first, one.

    A runtime is built on another thread than the one on which its predecessor lets go.

    Args:
        thing: what is shared.
        close: called once, when nobody holds it.
    """

    def __init__(self, thing: T, close: Callable[[], None]) -> None:
        self.thing = thing
        self._close = close
        self._holders = 1
        self._lock = threading.Lock()

    def take(self) -> Counted[T]:
        """Hold it too.

        Raises:
            RuntimeError: it is closed.
        """
        with self._lock:
            if not self._holders:
                raise RuntimeError("nobody held it any more, so it was closed")
            self._holders += 1
        return self

    def drop(self) -> None:
        """Let go."""
        with self._lock:
            self._holders -= 1
            closes = not self._holders
        if closes:
            self._close()
