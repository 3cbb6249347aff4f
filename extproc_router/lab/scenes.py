"""A demo's act: something is taken away, one prompt is asked, and a line says who answered and who was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai import APIStatusError, OpenAI

from extproc_router.lab.table import Column, Side, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extproc_router.lab.stack import Stack

CLIENT_SECONDS = 30.0
_OK, _UNAVAILABLE = 200, 503


@dataclass(frozen=True, slots=True)
class Scene:
    """One request of an act.

    Attributes:
        title: what is up, in a few words.
        before: takes something away.
        prompt: the user's text.
        answered_by: the cluster that shall answer; None where none may, and the client is told 503.
        asked: all clusters that shall receive the request, in the table's order; the one that answers where empty.
    """

    title: str
    before: Callable[[Stack], None]
    prompt: str
    answered_by: str | None
    asked: tuple[str, ...] = ()

    @property
    def receivers(self) -> set[str]:
        """Clusters that shall receive it."""
        return set(self.asked) or ({self.answered_by} if self.answered_by else set())


def table(clusters: Sequence[str]) -> Table:
    """The act's table, with a column for each cluster's count of requests."""
    counts = (Column(name.upper(), max(5, len(name)), Side.RIGHT) for name in clusters)
    return Table((Column("WHAT IS UP", 27), Column("PROMPT", 32), Column("THE CLIENT GOT", 18), *counts))


def play(running: Stack, act: Sequence[Scene], clusters: Sequence[str]) -> list[str]:
    """Play an act, printing a line for each scene; returns what went wrong, in words."""
    shown, problems = table(clusters), list[str]()
    print(shown.head(), flush=True)
    for scene in act:
        scene.before(running)
        before = _totals(running)
        status, model = ask(running, scene.prompt)
        received = {name: total - before[name] for name, total in _totals(running).items()}
        told = f"{status} from {model}" if status == _OK else str(status)
        print(shown.row([scene.title, scene.prompt, told, *(str(received[name]) for name in clusters)]), flush=True)
        wanted = (_OK if scene.answered_by else _UNAVAILABLE, scene.answered_by, scene.receivers)
        answered_by = running.served_by.get(model)
        got = (status, answered_by, {name for name, count in received.items() if count})
        problems += [] if got == wanted else [f"{scene.title}, {scene.prompt!r}: expected {wanted}, got {got}"]
    return problems


def ask(running: Stack, prompt: str) -> tuple[int, str]:
    """Ask as the openai client does; returns the HTTP status and the model that answered, empty where none did."""
    with OpenAI(base_url=f"{running.envoy.url}/v1", api_key="none", max_retries=0, timeout=CLIENT_SECONDS) as client:
        try:
            answer = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": prompt}])
        except APIStatusError as error:
            return error.status_code, ""
        return _OK, answer.model


def nothing(_: Stack) -> None:
    """Take nothing away."""


def _totals(running: Stack) -> dict[str, int]:
    return {name: server.total for name, server in running.servers.items()}
