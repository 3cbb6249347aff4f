"""What ran, kept on disk: every applied version of the config, and what each worker runs now.

    kept/versions/HASH.yaml     the bytes of a config file, by their SHA-256
    kept/applied.jsonl          a line for each time that a worker began to run a version
    kept/workers/PID.json       what a worker runs; locked for as long as it lives

All of it is for its owner alone (0700, 0600) and bounded. The directory around it may be a volume that belongs to root
and that anybody may write in; what others put into `kept` is not used. What cannot be kept is said in the log, and
requests are answered all the same.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from extproc_router.errors import StartupError
from extproc_router.server import records, shared_files
from extproc_router.server.records import Applied, Entry, Seen, WorkerState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Applied", "Entry", "Seen", "State", "WorkerState", "default_directory", "history", "text_of", "workers"]

log = logging.getLogger(__name__)

VARIABLE = "EXTPROC_ROUTER_STATE"
KEPT_VERSIONS = 200
KEPT_LINES = 1_000
SPARE_LINES = 100  # so that the file is written anew once in a hundred lines
SHORTEST_PREFIX = 6

_KEPT_GONE = 32  # files of workers that died without removing theirs
_SHOWN_MISTAKES, _SHOWN_CHARACTERS = 100, 1_000
_ROOM, _JOURNAL, _VERSIONS, _WORKERS = "kept", "applied.jsonl", "versions", "workers"
_VERSION_FILE = re.compile(r"[0-9a-f]{64}\.yaml")
_WORKER_FILE = re.compile(r"[^.].*\.json")


def default_directory() -> Path | None:
    """Return where state is kept if nobody says: the user's, by the XDG base directories; None where there is none."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - pathlib's raises
    return Path(base) / "extproc-router" if Path(base).is_absolute() else None


class State:
    """What one worker keeps. Methods wait for the disk: call them off the event loop. They never raise.

    Args:
        directory: where; made where it is missing. None keeps nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory.absolute() if directory else None
        self._failing = False
        self._mine: Path | None = None
        self._held = -1  # the open file of `_mine`, whose lock says that we live
        self._runs: Applied | None = None

    def applied(self, applied: Applied) -> None:
        """Keep a version that has begun to run, and note that it has."""
        self._runs = applied

        def keep(root: Path) -> None:
            _keep_text(root, applied.text)
            _note(root / _JOURNAL, records.entry(applied))
            _prune(root)

        self._try(keep)

    def report(self, worker: WorkerState) -> None:
        """Say what this worker runs, in place of what it said before; what it runs is kept again where it is lost."""
        mistakes = tuple(mistake[:_SHOWN_CHARACTERS] for mistake in worker.mistakes[:_SHOWN_MISTAKES])

        def keep(root: Path) -> None:
            if self._mine is None:
                _forget_gone(root)
                self._mine = _free(root / _WORKERS, worker.pid)
            text = msgspec.json.encode(replace(worker, mistakes=mistakes))
            held, self._held = self._held, shared_files.write(self._mine, text)
            if held >= 0:
                os.close(held)
            if self._runs:
                _keep_text(root, self._runs.text)
                if not (root / _JOURNAL).exists():
                    _note(root / _JOURNAL, records.entry(self._runs))

        self._try(keep)

    def close(self) -> None:
        """Remove this worker's file: it has ended in order."""
        if self._mine is not None:
            try:
                self._mine.unlink(missing_ok=True)
            except OSError as error:
                self._failed(error)
        if self._held >= 0:
            os.close(self._held)
        self._mine, self._held = None, -1

    def _try(self, keep: Callable[[Path], None]) -> None:
        if self._directory is None:
            return
        try:
            # One that exists keeps its mode: somebody chose it.
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            root = self._directory / _ROOM
            _make_private(root)
            with shared_files.turn(root / "lock"):
                for room in (_VERSIONS, _WORKERS):
                    _make_private(root / room)
                keep(root)
            self._failing = False
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path, text that is no Unicode
            self._failed(error)

    def _failed(self, error: OSError | ValueError) -> None:
        if not self._failing:
            reason = getattr(error, "strerror", None) or type(error).__name__
            log.warning("the state in %s cannot be kept: %s", self._directory, reason)
        self._failing = True


def workers(directory: Path) -> tuple[Seen, ...]:
    """Return what the workers' files say, the living first, by index.

    Raises:
        StartupError: there is no such state, or it may not be read.
    """
    with _reading(directory) as root:
        found = [seen for path in _worker_files(root) if (seen := _seen(path))]
    return tuple(sorted(found, key=lambda seen: (not seen.alive, seen.state.worker, seen.state.started_unix)))


def history(directory: Path) -> tuple[Entry, ...]:
    """Return the kept applications, oldest first; lines that cannot be read are left out.

    Raises:
        StartupError: there is no such state, or it may not be read.
    """
    with _reading(directory) as root:
        return tuple(_entries(root / _JOURNAL))


def text_of(directory: Path, prefix: str) -> tuple[str, bytes, str]:
    """Find a kept version.

    Args:
        directory: of the state.
        prefix: the first `SHORTEST_PREFIX` or more hex digits of its hash.

    Returns:
        Its SHA-256 in hex; the bytes of the config file; and the path that the file had, or has now where nobody
        noted that.

    Raises:
        StartupError: not such digits, no such version, several; or the content is not what it was.
    """
    wanted = prefix.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_PREFIX},64}}", wanted):
        raise StartupError(f"{prefix!r} is no version: write its first {SHORTEST_PREFIX} or more hex digits")
    with _reading(directory) as root:
        entries = tuple(_entries(root / _JOURNAL))
        found = [path for path in _versions(root) if path.name.startswith(wanted)]
        if not found:
            ran = any(entry.version.startswith(wanted[: len(entry.version)]) for entry in entries)
            why = f"it ran, but only the last {KEPT_VERSIONS} are kept" if ran else "it is not known to have run here"
            raise StartupError(f"{directory}: no version {wanted}: {why}")
        if len(found) > 1:
            several = " or ".join(path.stem[:16] for path in found[:5])
            raise StartupError(f"{directory}: {wanted} is several versions: {several}")
        text, _ = shared_files.read(found[0])
    full = found[0].stem
    if hashlib.sha256(text).hexdigest() != full:
        raise StartupError(f"{found[0]}: its content is not what was applied: the hash does not fit")
    files = (entry.file for entry in reversed(entries) if entry.version and full.startswith(entry.version))
    return full, text, next(files, str(found[0]))


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    shared_files.private(directory)


def _keep_text(root: Path, text: bytes) -> None:
    kept = root / _VERSIONS / f"{hashlib.sha256(text).hexdigest()}.yaml"
    with suppress(OSError):  # none, or no file: written anew
        if shared_files.read(kept)[0] == text:
            os.utime(kept)  # the oldest ones go
            return
    os.close(shared_files.write(kept, text))


def _note(journal: Path, entry: Entry) -> None:
    """Append a line; drop the oldest ones once there are enough to be worth it."""
    line = msgspec.json.encode(entry) + b"\n"
    lines = _read(journal).splitlines(keepends=True)
    if len(lines) >= KEPT_LINES + SPARE_LINES:
        kept = [line for line in lines if line.endswith(b"\n")][1 - KEPT_LINES :]
        os.close(shared_files.write(journal, b"".join([*kept, line])))
    elif lines and not lines[-1].endswith(b"\n"):
        shared_files.append(journal, b"\n" + line)  # somebody was cut off in the midst of one
    else:
        shared_files.append(journal, line)


def _prune(root: Path) -> None:
    """Drop the versions that were applied longest ago, but none that runs or was applied last."""
    versions = _versions(root)
    if len(versions) <= KEPT_VERSIONS:
        return
    used = {seen.state.version for path in _worker_files(root) if (seen := _seen(path)) and seen.alive}
    used |= {entry.version for entry in [*_entries(root / _JOURNAL)][-1:]}
    free = [path for path in versions if not any(version and path.name.startswith(version) for version in used)]
    free.sort(key=lambda path: path.stat().st_mtime_ns)
    for path in free[: len(versions) - KEPT_VERSIONS]:
        path.unlink()


def _forget_gone(root: Path) -> None:
    gone = [path for path in _worker_files(root) if (seen := _seen(path)) is None or not seen.alive]
    gone.sort(key=lambda path: path.stat().st_mtime_ns)
    for path in gone[:-_KEPT_GONE]:
        path.unlink()


def _free(directory: Path, pid: int) -> Path:
    """Return a file for a worker; in another container, another worker may have the same process id."""
    path, place = directory / f"{pid}.json", 0
    while ((seen := _seen(path)) and seen.alive) or path.is_dir():
        place += 1
        path = directory / f"{pid}-{place}.json"
    return path


def _seen(path: Path) -> Seen | None:
    """Read a worker's file; None where it is none, cannot be read, or has just gone."""
    try:
        text, held = shared_files.read(path)
        return Seen(msgspec.json.decode(text, type=WorkerState), held)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _worker_files(root: Path) -> list[Path]:
    return _files(root / _WORKERS, _WORKER_FILE)


def _versions(root: Path) -> list[Path]:
    return _files(root / _VERSIONS, _VERSION_FILE)


def _files(directory: Path, names: re.Pattern[str]) -> list[Path]:
    """Return the regular files of such names; neither links nor anything else."""
    try:
        with os.scandir(directory) as found:
            ours = [each.name for each in found if names.fullmatch(each.name) and each.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return [directory / name for name in sorted(ours)]


def _read(journal: Path) -> bytes:
    try:
        return shared_files.read(journal)[0]
    except FileNotFoundError:
        return b""


def _entries(journal: Path) -> Iterator[Entry]:
    for line in _read(journal).splitlines():
        try:
            yield msgspec.json.decode(line, type=Entry)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue


@contextmanager
def _reading(directory: Path) -> Iterator[Path]:
    try:
        if not directory.is_dir():
            raise StartupError(f"{directory}: no state is kept there (serve --state DIR, or ${VARIABLE})")
        root = directory / _ROOM
        for each in (root, root / _VERSIONS, root / _WORKERS):
            with suppress(FileNotFoundError):
                shared_files.private(each)
        yield root
    except (OSError, ValueError) as error:
        raise StartupError(f"{directory}: {getattr(error, 'strerror', None) or error}") from error
