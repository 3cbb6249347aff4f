"""JSON Lines, plain or gzipped, read within bounds."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE_BYTES = 16 * 1024 * 1024
MAX_LINES = 20_000_000
_GZIP_MAGIC = b"\x1f\x8b"
_SHOWN_FAULTS = 20


class Fault(Struct, frozen=True):
    """One row that could not be used: its 1-based line and why."""

    line: int
    why: str


class Faults:
    """Counts unusable rows and keeps the first twenty.

    Args:
        file: their file's name, for messages.
        strict: whether the first one is an error.
    """

    def __init__(self, file: str, *, strict: bool) -> None:
        self._file, self._strict = file, strict
        self.count = 0
        self.first: list[Fault] = []

    def add(self, line: int, why: str) -> None:
        """Take one.

        Raises:
            StartupError: in strict mode.
        """
        if self._strict:
            raise StartupError(f"{self._file}:{line}: {why}")
        self.count += 1
        if len(self.first) < _SHOWN_FAULTS:
            self.first.append(Fault(line, why))

    def __str__(self) -> str:
        shown = [f"{self._file}:{fault.line}: {fault.why}" for fault in self.first]
        more = self.count - len(shown)
        return "\n".join([*shown, f"... and {more:,} more rows"] if more else shown)


def _unzipped(plain: io.BufferedReader) -> io.BufferedIOBase:
    return gzip.GzipFile(fileobj=plain) if plain.peek(2)[:2] == _GZIP_MAGIC else plain


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read a file; gzip is known by its first bytes, not by its name.

    Yields:
        (1-based line number, line without its end); blank lines are left out.

    Raises:
        StartupError: the file cannot be read, is broken gzip, or a line or the file is beyond the bounds.
    """
    try:
        # Opened once, and nothing is read twice: a pipe gives its bytes but once.
        with path.open("rb") as plain, _unzipped(plain) as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise StartupError(f"{path}:{number}: longer than {MAX_LINE_BYTES} bytes")
                if number > MAX_LINES:
                    raise StartupError(f"{path}: more than {MAX_LINES:,} lines; take a sample")
                line = line.strip()
                if line:
                    yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    except (OSError, EOFError, zlib.error) as error:
        raise StartupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
