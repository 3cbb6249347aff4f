"""Child processes that are started, waited for and stopped, each within a bound; none outlives us."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

POLL_SECONDS = 0.02
LOG_TAIL = 2000  # characters of a dead child's log that its error shows

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Child:
    """A running process, and the file that holds what it says."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's too."""
        return self.process.pid

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:].strip()

    def stop(self, grace_seconds: float = 10.0) -> int:
        """Ask it to end, kill it and its children if it does not, and return its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.wait()

    def kill(self) -> None:
        """Kill it and its children now."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()


@contextmanager
def running(
    argv: Sequence[str | Path],
    *,
    name: str,
    directory: Path,
    env: Mapping[str, str] | None = None,
    stdout: Path | None = None,
) -> Iterator[Child]:
    """Run a program for as long as the block lasts.

    It gets its own session, so that Ctrl-C reaches us alone and we stop things in order, and the kernel kills it when
    we die without having done so.

    Args:
        argv: program and arguments.
        name: for messages; its output goes to `directory/name.log`.
        directory: an existing directory for the log.
        env: added to our own environment.
        stdout: a file for its standard output, where that must not be mixed with the log.

    Raises:
        StartupError: the program cannot be started.
    """
    log = directory / f"{name}.log"
    with ExitStack() as files:
        errors = files.enter_context(log.open("ab"))
        output = files.enter_context(stdout.open("ab")) if stdout else errors
        try:
            process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (one system call, resolved beforehand: no lock is taken)
            )
        except OSError as error:
            raise StartupError(f"cannot start {name}: {error.strerror}: {argv[0]}") from error
    child = Child(name, process, log)
    try:
        yield child
    finally:
        child.stop()
        _kill_group(child.pid)


def wait_until(ready: Callable[[], bool], child: Child, *, seconds: float) -> float:
    """Wait until `ready()`; returns how long that took, in seconds.

    Raises:
        StartupError: the child ended, or the time is up; with the end of its log.
    """
    start = time.monotonic()
    while not ready():
        if (status := child.process.poll()) is not None:
            raise StartupError(f"{child.name} ended with status {status}:\n{child.tail()}")
        if time.monotonic() - start > seconds:
            raise StartupError(f"{child.name} was not ready within {seconds:g} s:\n{child.tail()}")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - start


def end_in_order_on_sigterm() -> None:
    """Make SIGTERM end this process as an exception does: what runs is stopped, what was written is removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
