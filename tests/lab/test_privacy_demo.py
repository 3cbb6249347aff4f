"""The second act of the demo looks for the secret everywhere; test_demo.py plays it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from extproc_router.lab import privacy_demo
from extproc_router.lab.privacy_demo import PRIVATE, PUBLIC
from extproc_router.lab.simulator import ModelServer, Received


def running(**received: list[str]) -> Any:
    servers = {}
    for name, bodies in received.items():
        servers[name] = server = ModelServer(name)
        server.received.extend(Received(name, "POST", "/", (), body.encode()) for body in bodies)
    return SimpleNamespace(servers=servers)


def test_a_secret_that_was_spilt_is_found() -> None:
    assert privacy_demo.spilt(running(local=[PRIVATE], external=[PUBLIC])) == []
    assert privacy_demo.spilt(running(local=[], external=[PUBLIC, PRIVATE])) == ["external received 536-22-8741"]
