"""The encoder off the event loop: one thread, a bounded queue, a deadline.

One thread is right: the session runs on one core, and a second prompt would only slow the first.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from extproc_router.errors import EncoderFailed, EncoderOverloaded, EncoderTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.types import Encoding


class EncoderExecutor:
    """Runs `encode` on its own thread.

    Args:
        encode: text -> Encoding; synchronous, may raise anything.
        queue: prompts that may wait or run at once; one more is shed.
        deadline_seconds: waiting and running together; a later answer is thrown away.
        on_depth: told whenever the number of prompts inside changes.
    """

    def __init__(
        self,
        encode: Callable[[str], Encoding],
        *,
        queue: int,
        deadline_seconds: float,
        on_depth: Callable[[int], None],
    ) -> None:
        self._encode = encode
        self._queue = queue
        self._deadline_seconds = deadline_seconds
        self._on_depth = on_depth
        self._inside = 0
        self._started: float | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")

    async def encode(self, text: str) -> Encoding:
        """Encode one text.

        Raises:
            EncoderOverloaded: the queue is full.
            EncoderTimeout: the deadline passed, waiting or running.
            EncoderFailed: the encoder raised.
        """
        if self._inside >= self._queue:
            raise EncoderOverloaded(f"{self._inside} prompts are in the queue")
        loop = asyncio.get_running_loop()
        future = self._thread.submit(self._run, text)
        self._moved(1)
        # A prompt leaves when its thread is done with it, not when its client has lost patience.
        future.add_done_callback(lambda done: self._leave(loop, done))
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise EncoderTimeout(f"no answer in {self._deadline_seconds * 1000:.0f} ms") from error
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise EncoderFailed(f"the encoder raised {type(error).__name__}") from error

    @property
    def busy_seconds(self) -> float:
        """How long the prompt that is running has been running; 0.0 where none is."""
        started = self._started
        return 0.0 if started is None else time.monotonic() - started

    def close(self) -> None:
        """Let the thread go; prompts that wait are dropped, one that runs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _run(self, text: str) -> Encoding:
        self._started = time.monotonic()
        try:
            return self._encode(text)
        finally:
            self._started = None

    def _leave(self, loop: asyncio.AbstractEventLoop, future: Future[Encoding]) -> None:
        if not future.cancelled():
            future.exception()  # looked at: it may have nobody else left to be told
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._moved, -1)

    def _moved(self, change: int) -> None:
        self._inside += change
        self._on_depth(self._inside)
