"""The demo's second act: a private prompt, and what becomes of it while things are taken away."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai import APIStatusError, OpenAI

from extproc_router.lab.envoy_file import REPOSITORY
from extproc_router.lab.stack import Stack, stack
from extproc_router.lab.table import Column, Side, Table

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = REPOSITORY / "examples" / "privacy-first" / "router.yaml"
LOCAL, EXTERNAL = "local", "external"
PUBLIC = "Merge two sorted lists in Python."
SSN = "536-22-8741"
PRIVATE = f"{SSN} is a customer's SSN. Write a Python function that validates it."
CLIENT_SECONDS = 30.0
TABLE = Table((
    Column("WHAT IS UP", 24),
    Column("PROMPT", 32),
    Column("THE CLIENT GOT", 22),
    Column("LOCAL", 5, Side.RIGHT),
    Column("EXTERNAL", 8, Side.RIGHT),
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """One request of the act.

    Attributes:
        title: what is up, in a few words.
        before: takes something away.
        prompt: the user's text.
        answered_by: the cluster that shall answer; None where none may, and the client is told 503.
    """

    title: str
    before: Callable[[Stack], None]
    prompt: str
    answered_by: str | None


def run() -> list[str]:
    """Play it, printing a line for each scene; returns what went wrong, in words.

    Raises:
        StartupError: something does not start.
    """
    problems = []
    with stack(config=CONFIG) as running:
        print(TABLE.head(), flush=True)
        for scene in SCENES:
            scene.before(running)
            problems += _play(running, scene)
        problems += spilt(running)
    return problems


def spilt(running: Stack) -> list[str]:
    """Say so where the secret reached the external server, in whatever request."""
    received = running.servers[EXTERNAL].received
    return [f"{EXTERNAL} received {SSN}" for request in received if SSN.encode() in request.body]


def _play(running: Stack, scene: Scene) -> list[str]:
    before = _totals(running)
    status, answered = _ask(running, scene.prompt)
    after = _totals(running)
    received = {name: after[name] - before[name] for name in after}
    told = f"200 from {answered}" if status == 200 else f"{status}"  # noqa: PLR2004 - HTTP's own number
    print(TABLE.row([scene.title, scene.prompt, told, str(received[LOCAL]), str(received[EXTERNAL])]), flush=True)
    wanted = (200, {scene.answered_by}) if scene.answered_by else (503, set())
    got = (status, {name for name, count in received.items() if count})
    return [] if got == wanted else [f"{scene.title}, {scene.prompt!r}: expected {wanted}, got {got}"]


def _totals(running: Stack) -> dict[str, int]:
    return {name: server.total for name, server in running.servers.items()}


def _ask(running: Stack, prompt: str) -> tuple[int, str]:
    """Return the status and the model that answered."""
    with OpenAI(base_url=f"{running.envoy.url}/v1", api_key="none", max_retries=0, timeout=CLIENT_SECONDS) as client:
        try:
            answer = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": prompt}])
        except APIStatusError as error:
            return error.status_code, ""
        return 200, answer.model


def _nothing(_: Stack) -> None:
    """Take nothing away."""


def _local_down(running: Stack) -> None:
    running.servers[LOCAL].go_down()


def _router_killed(running: Stack) -> None:
    running.servers[LOCAL].come_back()
    running.router.child.process.send_signal(signal.SIGKILL)
    running.router.child.process.wait(10)


SCENES = (
    Scene("everything", _nothing, PUBLIC, EXTERNAL),
    Scene("everything", _nothing, PRIVATE, LOCAL),
    Scene("all but `local`", _local_down, PRIVATE, None),
    Scene("all but `local`", _nothing, PUBLIC, EXTERNAL),
    Scene("all but the router", _router_killed, PRIVATE, None),
    Scene("all but the router", _nothing, PUBLIC, None),
)
