"""The demo's third act: one model fails or is doubted, and Envoy asks the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from extproc_router.lab import scenes
from extproc_router.lab.envoy_file import REPOSITORY
from extproc_router.lab.scenes import Scene, nothing
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.stack import Stack, stack

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = REPOSITORY / "examples" / "cascade" / "router.yaml"
SMALL, LARGE = "small", "large"
PROMPT = "What is the capital of France?"
SURE, UNSURE = Behaviour(answer="good"), Behaviour(answer="bad")


def run() -> list[str]:
    """Play it, printing a line for each scene; returns what went wrong, in words.

    Raises:
        StartupError: something does not start.
    """
    with stack(config=CONFIG) as running:
        running.servers[SMALL].behaviour = running.servers[LARGE].behaviour = SURE
        return scenes.play(running, SCENES, (SMALL, LARGE))


def _small_down(running: Stack) -> None:
    running.servers[SMALL].go_down()


def _small_full(running: Stack) -> None:
    running.servers[SMALL].come_back()
    running.servers[SMALL].behaviour = replace(SURE, status=429, retry_after_seconds=30)


def _small_unsure(running: Stack) -> None:
    running.servers[SMALL].behaviour = UNSURE


def _large_down(running: Stack) -> None:
    running.servers[LARGE].go_down()


SCENES: Sequence[Scene] = (
    Scene("both", nothing, PROMPT, SMALL),
    Scene("`small` is down", _small_down, PROMPT, LARGE),
    Scene("`small` says 429", _small_full, PROMPT, LARGE, (SMALL, LARGE)),
    Scene("`small` is not sure", _small_unsure, PROMPT, LARGE, (SMALL, LARGE)),
    Scene("... and `large` is down", _large_down, PROMPT, SMALL),
)
