"""Progress on stderr, for what takes longer than two seconds; silent otherwise."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self, TextIO, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

_T = TypeVar("_T")
_QUIET_SECONDS = 2.0
_TERMINAL_SECONDS = 0.2
_LOG_SECONDS = 10.0


class Progress:
    """Tells how far a loop is: one line that is overwritten on a terminal, a line every ten seconds elsewhere.

    Args:
        label: what is done, e.g. `bootstrap`.
        total: how many steps there are; None where nobody knows.
        stream: where to; stderr by default.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        label: str,
        total: int | None,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label, self._total = label, total
        # Python gives None for a stderr that was closed before it started.
        self._stream: TextIO | None = stream or sys.stderr
        self._clock = clock
        self._terminal = self._stream is not None and self._stream.isatty()
        self._started = clock()
        self._next = self._started + _QUIET_SECONDS
        self._done = 0
        self._spoke = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spoke and self._terminal and self._stream:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def step(self, count: int = 1) -> None:
        """Say that `count` more steps are done."""
        self._done += count
        now = self._clock()
        if now < self._next or self._stream is None:
            return
        self._next = now + (_TERMINAL_SECONDS if self._terminal else _LOG_SECONDS)
        self._spoke = True
        text = self._line(now - self._started)
        self._stream.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        self._stream.flush()

    def reach(self, done: int) -> None:
        """Say that `done` steps are done by now."""
        self.step(done - self._done)

    def over(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield the items, one step each."""
        for item in items:
            yield item
            self.step()

    def _line(self, seconds: float) -> str:
        if not self._total:
            return f"{self._label}: {self._done:,} in {seconds:.0f} s"
        share = self._done / self._total
        left = seconds * (1 / share - 1) if share else 0.0
        return f"{self._label}: {self._done:,} of {self._total:,} ({share:.0%}), about {left:.0f} s left"
