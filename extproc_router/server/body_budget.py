"""How many bytes of bodies may be held at once.

Each body is bounded, but streams are many: without a common bound a few dozen large requests would fill the memory of
the pod, and the kernel would end the router for all. What does not fit is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class BodyBudget:
    """A number of bytes shared by all streams of a worker; used on the event loop alone.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes in use."""
        return self._held

    def lease(self) -> Lease:
        """Begin one stream's share, of nothing yet."""
        return Lease(self)

    def _move(self, change: int) -> bool:
        if change > 0 and self._held + change > self._limit:
            return False
        self._held += change
        return True


class Lease:
    """One stream's share; a context manager that gives it back."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._size = 0
        self.refused = False

    def cover(self, size: int) -> bool:
        """Make the share at least `size` bytes; where that does not fit, say so, now and in `refused`."""
        if size > self._size:
            if not self._budget._move(size - self._size):  # noqa: SLF001 - its other half
                self.refused = True
                return False
            self._size = size
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._budget._move(-self._size)  # noqa: SLF001 - its other half
        self._size = 0
