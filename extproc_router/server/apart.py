"""Work on threads that nobody has to wait for at the end: what hangs on a disk must not keep the process."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_NAME = "apart"


async def run(work: Callable[[], T]) -> T:
    """Run something that blocks, on a thread of its own, which goes on where the caller is cancelled.

    Raises:
        Exception: whatever the work does.
    """
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()  # from here on nobody cancels it

    def go() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - for the caller
            done.set_exception(error)
        else:
            done.set_result(result)

    threading.Thread(target=go, name=_NAME, daemon=True).start()
    return await asyncio.wrap_future(done)


def join(seconds: float) -> bool:
    """Wait for what still runs; return whether all of it has ended."""
    end = time.monotonic() + seconds
    running = [thread for thread in threading.enumerate() if thread.name == _NAME]
    for thread in running:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in running)
