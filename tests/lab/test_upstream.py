from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab import upstream

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.envoy


def test_it_reads_the_whole_body_and_keeps_the_connection(tmp_path: Path) -> None:
    long = json.dumps({"text": "x" * 100_000})
    with upstream.running(tmp_path, (upstream.SHORT, long)) as ports:
        for port, answer in zip(ports, (upstream.SHORT, long), strict=True):
            connection = HTTPConnection("127.0.0.1", port, timeout=20)
            for _ in range(3):
                connection.request("POST", "/v1/chat/completions", b"x" * 200_000)
                reply = connection.getresponse()
                assert (reply.status, reply.will_close) == (200, False)
                assert reply.getheader("content-type") == "application/json"
                assert reply.read() == answer.encode()
            connection.close()
