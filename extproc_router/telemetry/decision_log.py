"""One JSON line per decision: the message `extproc_router.v1.Decision`, with its field names, after a `time`.

And one per cascade, once it has come to its end: `"kind": "cascade"`, then the members of `verifier.judged.Judged`.

Lines are handed to a thread that writes them in batches: a slow pipe never holds up a request. What does not fit in
the buffer, or cannot be written as JSON, is dropped and counted, and the next line written says how many were.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.types import Record
    from extproc_router.verifier.judged import Judged

log = logging.getLogger(__name__)

_BUFFER_LINES = 10_000
_FLUSH_SECONDS = 0.05
_JOIN_SECONDS = 2.0


def line(record: Record) -> bytes:
    """Write one record as a JSON line, newline included."""
    decision = msgspec.json.encode(record.decision)
    total_ms = round(record.total_seconds * 1000, 3)
    return b'{"time":"%s",%s,"total_ms":%r}\n' % (_iso(record.unix_time), decision[1:-1], total_ms)


def cascade_line(judged: Judged, unix_time: float) -> bytes:
    """Write what came of a cascade as a JSON line, newline included."""
    return b'{"time":"%s","kind":"cascade",%s}\n' % (_iso(unix_time), msgspec.json.encode(judged)[1:-1])


def _iso(unix_time: float) -> bytes:
    return datetime.fromtimestamp(unix_time, UTC).isoformat(timespec="milliseconds").encode()


class DecisionLog:
    """Writes records to a binary stream.

    Args:
        stream: where to; written to by one thread alone.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: deque[Callable[[], bytes]] = deque()
        self._dropped = 0
        self._failed = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="decision-log", daemon=True)
        self._thread.start()

    def decided(self, record: Record) -> None:
        """Take one record; never waits."""
        self._take(partial(line, record))

    def judged(self, judged: Judged, unix_time: float) -> None:
        """Take what came of a cascade; never waits."""
        self._take(partial(cascade_line, judged, unix_time))

    def _take(self, write: Callable[[], bytes]) -> None:
        if len(self._waiting) >= _BUFFER_LINES:
            self._dropped += 1
        else:
            self._waiting.append(write)

    def close(self) -> None:
        """Write what waits, within a bound."""
        self._stop.set()
        self._thread.join(_JOIN_SECONDS)

    def _write(self) -> None:
        while not self._stop.wait(_FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        batch = [told for _ in range(len(self._waiting)) if (told := self._told(self._waiting.popleft()))]
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            batch.append(b'{"dropped":%d}\n' % dropped)
        if not batch:
            return
        try:
            self._stream.write(b"".join(batch))
            self._stream.flush()
        except (OSError, ValueError):
            self._dropped += len(batch)  # nobody reads any more; keep deciding

    def _told(self, write: Callable[[], bytes]) -> bytes:
        """Write a record; empty where that fails: a mistake of ours costs no other record."""
        try:
            return write()
        except Exception as error:  # noqa: BLE001 - of its message nothing: it may quote what it stumbled over
            kind = type(error).__qualname__
        if not self._failed:
            log.error("a decision cannot be written: %s; others are counted, and not told here", kind)
        self._failed = True
        self._dropped += 1
        return b""
