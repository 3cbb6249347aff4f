"""Having a config proved against an envoy.yaml: by `extproc-router check`, in a process of its own.

What the proof needs takes half a second to import and 100 MB: the router neither grows by it nor stands still for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "extproc_router")
SECONDS = 60.0  # it takes two, on a machine with nothing else to do

_MOST_LINES = 200
_STDIN = "<stdin>"
_VERDICT = "privacy: "


class Prover:
    """Asks `check`.

    Args:
        envoy: the envoy.yaml.
        model: the encoder artefact.
        allow_unproved: whether what `check` does not understand is let pass.
        trusted: names of Envoy's HTTP filters that `check` is to take for harmless.
        program: what to run.
        seconds: how long it may take.
    """

    def __init__(
        self,
        envoy: Path,
        model: Path,
        *,
        allow_unproved: bool,
        trusted: Sequence[str] = (),
        program: Sequence[str] = PROGRAM,
        seconds: float = SECONDS,
    ) -> None:
        self._command = [*program, "check", "--config=-", f"--envoy={envoy}", f"--model={model}"]
        self._command += [f"--trust={name}" for name in trusted]
        if allow_unproved:
            self._command.append("--allow-unproved")
        self._seconds = seconds
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def mistakes(self, text: bytes, file: str) -> tuple[str, ...]:
        """Check a config.

        Args:
            text: the config file's content.
            file: its name, for mistakes.

        Returns:
            What is wrong, each a line for people; nothing where it is proved.
        """
        try:
            process = self._start()
        except (OSError, StartupError) as error:
            return (f"{file}: it cannot be proved: {error}",)
        with process:
            try:
                _, complained = process.communicate(text, self._seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return (f"{file}: not proved within {self._seconds:g} s",)
            finally:
                self._running = None
        if process.returncode == 0:
            return ()
        return _told(complained, file) or (f"{file}: the proof ended with status {process.returncode}",)

    def stop(self) -> None:
        """End what runs, and let nothing begin."""
        with self._lock:
            self._stopped = True
            if self._running:
                self._running.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        # Files of metrics are for those who serve.
        environment = {key: value for key, value in os.environ.items() if key != "PROMETHEUS_MULTIPROC_DIR"}
        with self._lock:
            if self._stopped:
                raise StartupError("the router is ending")
            process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
            )
            self._running = process
        # It runs where nobody else wants to: niceness alone made requests wait. From outside, because what is run
        # between fork and exec would mean a copy of this process's memory map.
        with suppress(OSError):
            os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
        return process


def _told(complained: bytes, file: str) -> tuple[str, ...]:
    """Return the lines that say what is wrong; the one that counts them is left out."""
    lines = (line for line in complained.decode(errors="replace").splitlines() if line.strip())
    return tuple(line.replace(_STDIN, file, 1) for line in lines if not line.startswith(_VERDICT))[:_MOST_LINES]
