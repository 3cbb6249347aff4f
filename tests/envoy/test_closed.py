"""The router gone, where safety rules may not be passed by."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import stack as lab

if TYPE_CHECKING:
    from tests.envoy.conftest import House

GATE = Path(__file__).parents[2] / "examples/safety-gate/router.yaml"

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("envoy_closed")]


def test_a_killed_router_lets_nothing_through(make_house: type[House]) -> None:
    with lab.stack(config=GATE) as stack:
        house = make_house(stack)
        body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hi"}]}).encode()
        assert house.post(body).status == 200
        house.clear()
        stack.router.child.process.send_signal(signal.SIGKILL)
        stack.router.child.process.wait(10)
        reply = house.post(body)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert reply.json()["error"]["code"] == "router_unavailable"
        assert house.received == []
        house.close()
