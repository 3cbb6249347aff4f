"""One simulated model server in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extproc_router.lab.simulator import ModelServer


async def serve(server: ModelServer, host: str) -> None:
    """Listen on `host` and the server's own port, print one line with the address, and serve.

    Raises:
        OSError: the address cannot be listened on.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await server.open(host)
    shown = f"[{host}]" if ":" in host else host
    print(f"{server.cluster} listens on http://{shown}:{server.port}", flush=True)
    await ended.wait()
    await server.close()
