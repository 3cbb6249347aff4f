"""The demo's second act: a private prompt, and what becomes of it while things are taken away."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from extproc_router.lab import scenes
from extproc_router.lab.envoy_file import REPOSITORY
from extproc_router.lab.scenes import Scene, nothing
from extproc_router.lab.stack import Stack, stack

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = REPOSITORY / "examples" / "privacy-first" / "router.yaml"
LOCAL, EXTERNAL = "local", "external"
PUBLIC = "Merge two sorted lists in Python."
SSN = "536-22-8741"
PRIVATE = f"{SSN} is a customer's SSN. Write a Python function that validates it."


def run() -> list[str]:
    """Play it, printing a line for each scene; returns what went wrong, in words.

    Raises:
        StartupError: something does not start.
    """
    with stack(config=CONFIG) as running:
        return [*scenes.play(running, SCENES, (LOCAL, EXTERNAL)), *spilt(running)]


def spilt(running: Stack) -> list[str]:
    """Say so where the secret reached the external server, in whatever request."""
    received = running.servers[EXTERNAL].received
    return [f"{EXTERNAL} received {SSN}" for request in received if SSN.encode() in request.body]


def _local_down(running: Stack) -> None:
    running.servers[LOCAL].go_down()


def _router_killed(running: Stack) -> None:
    running.servers[LOCAL].come_back()
    running.router.child.process.send_signal(signal.SIGKILL)
    running.router.child.process.wait(10)


SCENES: Sequence[Scene] = (
    Scene("everything", nothing, PUBLIC, EXTERNAL),
    Scene("everything", nothing, PRIVATE, LOCAL),
    Scene("all but `local`", _local_down, PRIVATE, None),
    Scene("all but `local`", nothing, PUBLIC, EXTERNAL),
    Scene("all but the router", _router_killed, PRIVATE, None),
    Scene("all but the router", nothing, PUBLIC, None),
)
