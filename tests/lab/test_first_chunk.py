from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab.first_chunk import first_chunks
from extproc_router.lab.load import chat

if TYPE_CHECKING:
    from extproc_router.lab.simulator import ModelServer


def test_every_port_is_sent_every_body(servers: dict[str, ModelServer]) -> None:
    for server in servers.values():
        server.clear()
    bodies = [chat("auto", f"prompt {number}", stream=True) for number in range(3)]

    times = first_chunks([servers["small"].port, servers["large"].port], bodies)

    assert [len(each) for each in times] == [3, 3]
    assert all(took > 0 for each in times for took in each)
    assert all([request.body for request in server.received] == bodies for server in servers.values())


def test_what_is_no_200_stops_it(small: ModelServer) -> None:
    small.status = 503
    with pytest.raises(StartupError, match="503"):
        first_chunks([small.port], [chat("auto", "hello", stream=True)])
