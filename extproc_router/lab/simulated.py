"""Simulated model servers as processes of their own: what they cost is not taken from the one that measures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from extproc_router.lab import stack
from extproc_router.lab.probes import free_ports, get
from extproc_router.lab.processes import running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OK = 200


@contextmanager
def simulated(directory: Path, cluster: str, *options: str) -> Iterator[int]:
    """Run `extproc-router simulate` until the block ends; returns its port on 127.0.0.1.

    Args:
        directory: for its log.
        cluster: what its answers say they come from.
        options: more of `simulate`.

    Raises:
        StartupError: it ended or was not ready in time.
    """
    (port,) = free_ports(1)
    argv = [*stack.PROGRAM, "simulate", f"--listen=127.0.0.1:{port}", f"--cluster={cluster}", *options]
    with running(argv, name=f"simulated-{cluster}", directory=directory) as child:
        wait_until(lambda: get(port, "/health")[0] == _OK, child, seconds=stack.READY_SECONDS)
        yield port
