"""The second act of the demo says so where anything goes wrong; test_demo.py plays it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from extproc_router.lab import demo, privacy_demo
from extproc_router.lab.privacy_demo import PRIVATE, PUBLIC, Scene
from extproc_router.lab.simulator import ModelServer, Received


def running(**received: list[str]) -> Any:
    servers = {}
    for name, bodies in received.items():
        servers[name] = server = ModelServer(name)
        server.received.extend(Received(name, "POST", "/", (), body.encode()) for body in bodies)
        server.total = len(bodies)
    return SimpleNamespace(servers=servers)


def test_a_secret_that_was_spilt_is_found() -> None:
    assert privacy_demo.spilt(running(local=[PRIVATE], external=[PUBLIC])) == []
    assert privacy_demo.spilt(running(local=[], external=[PUBLIC, PRIVATE])) == ["external received 536-22-8741"]


@pytest.mark.parametrize(
    ("answered_by", "status", "reached", "fine"),
    [
        ("local", 200, "local", True),
        ("local", 200, "external", False),
        ("local", 503, "", False),
        (None, 503, "", True),
        (None, 503, "external", False),
        (None, 200, "local", False),
    ],
)
def test_a_scene_is_judged_by_who_received_what(
    monkeypatch: pytest.MonkeyPatch, answered_by: str | None, status: int, reached: str, fine: bool
) -> None:
    house = running(local=[], external=[])

    def ask(*_: object) -> tuple[int, str]:
        if reached:
            house.servers[reached].total += 1
        return status, "a-model"

    monkeypatch.setattr(privacy_demo, "_ask", ask)
    problems = privacy_demo._play(house, Scene("everything", lambda _: None, PRIVATE, answered_by))
    assert (problems == []) is fine


def test_the_verdict_is_a_promise_or_a_list() -> None:
    assert "never received it" in demo.verdict([])
    assert demo.verdict(["a", "b"]) == "  problem: a\n  problem: b"
