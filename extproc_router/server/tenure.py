"""Who still needs a runtime: the streams that began with it, and new ones until it is replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from types import TracebackType


class Releasable(Protocol):
    """Something that lets go of what it holds."""

    def release(self) -> None:
        """Let go; called once, when nobody needs it any more."""


T = TypeVar("T", bound=Releasable)


class Tenure(Generic[T]):
    """One runtime's time in office; a context manager for each stream that it serves. Used on the event loop alone.

    Args:
        holder: what streams get; released once it is retired and the last of its streams is over.
    """

    def __init__(self, holder: T) -> None:
        self.holder = holder
        self._streams = 0
        self._retired = False

    def retire(self) -> None:
        """No stream begins with it any more; those that have begun end with it."""
        if not self._retired:
            self._retired = True
            self._release_if_over()

    def __enter__(self) -> T:
        self._streams += 1
        return self.holder

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._streams -= 1
        self._release_if_over()

    def _release_if_over(self) -> None:
        if self._retired and not self._streams:
            self.holder.release()
