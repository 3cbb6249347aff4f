from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from http.client import HTTPConnection

import pytest

from extproc_router.lab.simulation import foreground
from extproc_router.lab.simulator import ModelServer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(capsys: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    server = ModelServer("small")
    seen: list[int] = []

    def visit() -> None:
        while not server.port:
            time.sleep(0.01)
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/v1/models")
        seen.append(connection.getresponse().status)
        connection.close()
        os.kill(os.getpid(), number)

    visitor = threading.Thread(target=visit)
    visitor.start()
    asyncio.run(asyncio.wait_for(foreground.serve(server, "127.0.0.1"), 20))
    visitor.join()

    assert seen == [200]
    assert capsys.readouterr().out == f"small listens on http://127.0.0.1:{server.port}\n"
    with pytest.raises(ConnectionRefusedError):
        HTTPConnection("127.0.0.1", server.port, timeout=10).connect()
