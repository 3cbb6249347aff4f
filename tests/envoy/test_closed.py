"""The router gone, where safety rules may not be passed by."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import stack as lab
from extproc_router.lab.processes import running

if TYPE_CHECKING:
    from tests.envoy.conftest import House

ROOT = Path(__file__).parents[2]
GUARDED = [ROOT / f"examples/{name}/router.yaml" for name in ("safety-gate", "privacy-first")]
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hi"}]}).encode()

pytestmark = pytest.mark.envoy


def kill_router(stack: lab.Stack) -> None:
    stack.router.child.process.send_signal(signal.SIGKILL)
    stack.router.child.process.wait(10)


def closing(stack: lab.Stack) -> list[str]:
    """The command of a router that ends its streams cleanly, where the real one was."""
    stack.router.socket.unlink(missing_ok=True)
    return [sys.executable, str(Path(__file__).with_name("closing_router.py")), f"unix:{stack.router.socket}"]


@pytest.mark.parametrize("config", GUARDED, ids=lambda path: path.parent.name)
def test_without_a_router_nothing_gets_through(make_house: type[House], config: Path) -> None:
    with lab.stack(config=config) as stack:
        house = make_house(stack)
        assert house.post(BODY).status == 200
        house.clear()
        kill_router(stack)
        for _ in range(2):
            reply = house.post(BODY)
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
            assert reply.json()["error"]["code"] == "router_unavailable"
            assert house.access(reply.headers["x-request-id"])["route"] == "undecided"
        assert house.received == []

        with running(closing(stack), name="closing", directory=stack.directory):
            house.eventually(stack.router.socket.exists)
            for headers in (
                [],
                [("x-privacy-tier", "public")],
                [("x-llm-decision", "x"), ("x-selected-cluster", "small")],
            ):
                reply = house.post(BODY, headers)
                assert (reply.status, house.access(reply.headers["x-request-id"])["route"]) == (503, "undecided")
            assert house.received == []
        house.close()


def test_a_stream_that_ends_cleanly_goes_on_where_the_last_route_is_open(make_house: type[House]) -> None:
    """What the closed route is there for: Envoy takes a clean end for "nothing to say"."""
    with lab.stack() as stack:
        house = make_house(stack)
        kill_router(stack)
        with running(closing(stack), name="closing", directory=stack.directory):
            house.eventually(stack.router.socket.exists)
            reply = house.post(BODY)
            assert (reply.status, house.only().cluster) == (200, "small")
            private = house.post(BODY, [("x-privacy-tier", "restricted")])
            assert (private.status, len(house.received)) == (503, 1)
        house.close()
