from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import stack as lab
from extproc_router.lab import upstream
from extproc_router.lab.envoy_file import save
from extproc_router.lab.probes import envoy_is_ready, free_ports
from extproc_router.lab.processes import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.envoy, pytest.mark.xdist_group("lab_upstream")]


def test_it_reads_the_whole_body_and_keeps_the_connection(tmp_path: Path) -> None:
    port, admin_port = free_ports(2)
    config = save(upstream.bootstrap(port, admin_port), tmp_path / "upstream.yaml")
    with lab.start_envoy(config, directory=tmp_path, name="upstream") as child:
        wait_until(lambda: envoy_is_ready(admin_port), child, seconds=lab.READY_SECONDS)
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        for _ in range(3):
            connection.request("POST", "/v1/chat/completions", b"x" * 200_000)
            reply = connection.getresponse()
            assert (reply.status, reply.will_close) == (200, False)
            assert reply.read() == b'{"object":"chat.completion"}'
        connection.close()
