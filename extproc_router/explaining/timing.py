"""What reading a request takes: a clock around each signal and around the encoder, which have none."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from extproc_router.types import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from extproc_router.encoder import Encoder
    from extproc_router.signals.base import Answers, Cost, Reader, Subject
    from extproc_router.types import Ask, Question, Signal


class Pass(Struct, frozen=True):
    """One text that the encoder read: what it found, or None where it failed, and how long that took."""

    encoding: Encoding | None
    ms: float


class Ledger:
    """What was spent.

    Args:
        clock: monotonic seconds.

    Attributes:
        signals: signal name -> milliseconds, the encoder's not counted.
        passes: what the encoder did, in order.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.signals: defaultdict[str, float] = defaultdict(float)
        self.passes: list[Pass] = []


class Timed:
    """A reader under a clock; members as in `signals.base.Reader`."""

    def __init__(self, reader: Reader, ledger: Ledger) -> None:
        self._reader = reader
        self._ledger = ledger
        self.name: str = reader.name
        self.cost: Cost = reader.cost
        self.known: frozenset[str] | None = reader.known
        self.numeric: bool = reader.numeric
        self.floor: float = reader.floor

    def asks(self, subject: Subject) -> tuple[Ask | Question, ...]:
        """Ask what the reader asks."""
        started = self._ledger.clock()
        try:
            return self._reader.asks(subject)
        finally:
            self._spent(started)

    def read(self, subject: Subject, answers: Answers) -> Signal:
        """Read what the reader reads, and raise what it raises."""
        started = self._ledger.clock()
        try:
            return self._reader.read(subject, answers)
        finally:
            self._spent(started)

    def _spent(self, started: float) -> None:
        self._ledger.signals[self.name] += (self._ledger.clock() - started) * 1000


def timed_encoder(encoder: Encoder, ledger: Ledger) -> Encoder:
    """Put an encoder under a clock, for `wiring.decide`, which calls its `encode` alone."""
    return cast("Encoder", _TimedEncoder(encoder, ledger))


class _TimedEncoder:
    def __init__(self, encoder: Encoder, ledger: Ledger) -> None:
        self._encoder = encoder
        self._ledger = ledger

    def encode(self, text: str, signals: Collection[str] | None = None, *, embedding: bool = False) -> Encoding:
        started = self._ledger.clock()
        encoding: Encoding | None = None
        try:
            encoding = self._encoder.encode(text, signals, embedding=embedding)
            return encoding
        finally:
            self._ledger.passes.append(Pass(encoding, (self._ledger.clock() - started) * 1000))
