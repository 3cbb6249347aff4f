"""Lines from a stream whose end nobody knows: a file, or somebody who types."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from extproc_router.bulk.jsonl import MAX_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK = 1 << 16
_BOM = b"\xef\xbb\xbf"


def read(
    stream: BinaryIO, before_waiting: Callable[[], object], *, most: int = MAX_LINE_BYTES
) -> Iterator[tuple[int, bytes | None]]:
    """Read lines as they come, in memory bounded by the longest that is allowed.

    Args:
        stream: buffered, so that `read1` gives what is there; a byte order mark at its start is left out.
        before_waiting: is called before every read that may wait, so that whoever writes can flush.
        most: bytes of a line.

    Yields:
        (1-based line number, the line without its end, or None where it is longer than `most`); blank lines are left
        out.
    """
    number, pending, too_long = 1, bytearray(), False
    while True:
        before_waiting()
        chunk = stream.read1(_CHUNK)  # type: ignore[attr-defined]  # what `sys.stdin.buffer` is has it
        if not chunk:
            break
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            pending += chunk[start:end]
            yield from _line(number, pending, too_long=too_long or len(pending) > most)
            number, pending, too_long, start = number + 1, bytearray(), False, end + 1
        pending += chunk[start:]
        if len(pending) > most:
            pending, too_long = bytearray(), True
    yield from _line(number, pending, too_long=too_long)


def _line(number: int, line: bytearray, *, too_long: bool) -> Iterator[tuple[int, bytes | None]]:
    if too_long:
        yield number, None
        return
    text = bytes(line).removeprefix(_BOM if number == 1 else b"").strip()
    if text:
        yield number, text
