"""Several workers: processes of their own, started anew when they die.

They are started as fresh interpreters, before this process ever imports gRPC, whose threads do not survive a fork.
"""

from __future__ import annotations

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from extproc_router.server import addresses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.1
# Before any worker has lived this long, one that states a failure (exit 1) ends them all: a bad config or a taken
# address will not get better. Afterwards a replacement that fails costs its own slot alone.
_STARTUP_SECONDS = 10.0
_FIRST_BACKOFF_SECONDS = 0.1
_LAST_BACKOFF_SECONDS = 10.0
_KILL_GRACE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_SERVED = "served-"


class _Worker:
    """One slot: the process in it, and when the next may be started."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._backoff = _FIRST_BACKOFF_SECONDS
        self._next_start = 0.0
        self._started = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start_if_due(self, *, last_good: bool) -> None:
        now = time.monotonic()
        if self.process is None and now >= self._next_start:
            again = ["--last-good"] if last_good and "--last-good" not in self._command else []
            self._started = now
            # It begins with the signal blocked, whose default would end it; it says itself when it is ready for one.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
            try:
                self.process = subprocess.Popen([*self._command, *again])  # noqa: S603 - our own command line
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def send(self, number: signal.Signals) -> None:
        if self.process:
            self.process.send_signal(number)

    @property
    def lifetime(self) -> float:
        """Seconds since the running process was started; 0.0 where none runs."""
        return time.monotonic() - self._started if self.process else 0.0

    def reap(self) -> tuple[int, int, float] | None:
        """Return pid, exit status and lifetime of a process that has ended."""
        if self.process is None or self.process.poll() is None:
            return None
        lifetime = time.monotonic() - self._started
        ended = (self.process.pid, self.process.returncode, lifetime)
        self._backoff = _FIRST_BACKOFF_SECONDS if lifetime > _STARTUP_SECONDS else self._backoff * 2
        self._next_start = time.monotonic() + min(self._backoff, _LAST_BACKOFF_SECONDS)
        self.process = None
        return ended


class _Records:
    """What workers leave in the directory of their metrics: whether they served, and what they counted.

    Args:
        directory: where.
        forget: drops a dead worker's gauges; what it counted stays.
    """

    def __init__(self, directory: Path, forget: Callable[[int], None]) -> None:
        self._directory = directory
        self._forget = forget
        self._ever = False

    @property
    def any_served(self) -> bool:
        """Whether any worker has served since the supervisor was started."""
        self._ever = self._ever or any(self._directory.glob(f"{_SERVED}*"))
        return self._ever

    def ended(self, pid: int) -> None:
        """Drop what nobody asks for: of one that never served, all; or those that end at once would fill the disk."""
        served = self._directory / f"{_SERVED}{pid}"
        self._forget(pid)
        if self.any_served and served.exists():
            served.unlink()
            return
        for path in self._directory.glob(f"*_{pid}.db"):
            path.unlink(missing_ok=True)


def say_served() -> None:
    """Tell the supervisor, as one of its workers, that we serve now."""
    directory = os.environ.get(_DIRECTORY)
    if directory:
        with suppress(OSError):  # a full disk: this worker's successor does without the last good version
            Path(directory, f"{_SERVED}{os.getpid()}").touch()


def end_with_parent() -> None:
    """Have the kernel drain this worker when its supervisor dies without having told it to.

    And have it hear SIGHUP, which the supervisor starts it without: by now somebody handles it, or ignores it.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def supervise(
    workers: int, arguments: Sequence[str], listen: str, metrics_listen: str | None, drain_seconds: float
) -> int:
    """Run workers until SIGTERM or SIGINT; SIGHUP is theirs.

    Args:
        workers: how many.
        arguments: our own command line; each worker gets it with its index.
        listen: address template, checked before anything is started.
        metrics_listen: where the merged metrics are served, if anywhere.
        drain_seconds: how long workers may take to end.

    Returns:
        Exit status: 0, or 1 where a worker stated a failure at its start.

    Raises:
        StartupError: the addresses cannot be shared so.
    """
    for index in range(workers):
        addresses.parse(addresses.for_worker(listen, index, workers))
    stop, reload = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, lambda *_: reload.set())
    directory = tempfile.mkdtemp(prefix="extproc-router-metrics-")
    os.environ[_DIRECTORY] = directory
    close_metrics, forget = _merged_metrics(metrics_listen)
    slots = [
        _Worker(
            [
                sys.executable,
                "-m",
                "extproc_router",
                *arguments,
                "--workers=1",
                f"--worker-of={workers}",
                f"--worker-index={i}",
            ]
        )
        for i in range(workers)
    ]
    try:
        return _run(slots, stop, reload, _Records(Path(directory), forget))
    finally:
        _end(slots, drain_seconds)
        close_metrics()
        shutil.rmtree(directory, ignore_errors=True)


def _run(slots: Sequence[_Worker], stop: threading.Event, reload: threading.Event, records: _Records) -> int:
    proven = False
    while not stop.wait(_POLL_SECONDS):
        if reload.is_set():
            reload.clear()
            for slot in slots:
                slot.send(signal.SIGHUP)
        proven = proven or any(slot.lifetime > _STARTUP_SECONDS for slot in slots)
        for slot in slots:
            ended = slot.reap()
            if ended:
                pid, status, lifetime = ended
                records.ended(pid)
                if status == 1 and not proven:
                    log.error("worker %d could not start; stopping", pid)
                    return 1
                log.warning("worker %d ended with status %d after %.1f s; replacing it", pid, status, lifetime)
            # A config that the others have refused since must not keep it away; one that nobody has run may.
            slot.start_if_due(last_good=records.any_served)
    return 0


def _merged_metrics(listen: str | None) -> tuple[Callable[[], None], Callable[[int], None]]:
    """Serve all workers' metrics as one; returns what stops it, and what forgets a dead worker's gauges."""
    from prometheus_client import CollectorRegistry, multiprocess  # noqa: PLC0415 - reads the variable at import

    from extproc_router.server import metrics_endpoint  # noqa: PLC0415 - likewise

    if listen is None:
        return (lambda: None), multiprocess.mark_process_dead
    registry = CollectorRegistry()
    merged = multiprocess.MultiProcessCollector(None)  # type: ignore[no-untyped-call]  # theirs
    registry.register(metrics_endpoint.OnlyWhatIs(merged))
    return metrics_endpoint.start(addresses.parse(listen), registry), multiprocess.mark_process_dead


def _end(slots: Sequence[_Worker], drain_seconds: float) -> None:
    running = [slot.process for slot in slots if slot.process]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + drain_seconds + _KILL_GRACE_SECONDS
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("worker %d does not end; killing it", process.pid)
            process.kill()
            process.wait()
