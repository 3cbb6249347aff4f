"""The encoder off the event loop: one thread, a bounded queue, a deadline.

What one request asks is one job: its texts are read one after the other, and its deadline is for all of them. How long
that is, and how many may wait, is said with each request: a new config changes it and leaves the thread alone.

One thread is right: the session runs on one core, and a second prompt would only slow the first. It is a daemon, and no
executor of the standard library, because those are waited for when the interpreter ends: an encoder that hangs would
outlive SIGTERM.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from extproc_router.errors import EncoderFailed, EncoderOverloaded, EncoderTimeout, ShedError
from extproc_router.types import Ask, Encoding

if TYPE_CHECKING:
    from collections.abc import Callable

Asks: TypeAlias = tuple[Ask, ...]
Encodings: TypeAlias = Mapping[str, Encoding | ShedError]
"""Text -> what was read in it, or why nothing was."""

_Job: TypeAlias = tuple[Asks, Future[Encodings], asyncio.AbstractEventLoop]


class Bounds(Struct, frozen=True):
    """What one config lets a request ask of the encoder.

    Attributes:
        queue: prompts that may wait or run at once; one more is shed.
        deadline_seconds: waiting and running together; a later answer is thrown away.
    """

    queue: int
    deadline_seconds: float


class EncoderExecutor:
    """Runs `encode` on its own thread.

    Args:
        encode: asks -> an encoding for the text of each; synchronous, may raise anything.
        on_depth: told whenever the number of prompts inside changes.
    """

    def __init__(self, encode: Callable[[Asks], Encodings], *, on_depth: Callable[[int], None]) -> None:
        self._encode = encode
        self._on_depth = on_depth
        self._inside = 0
        self._started: float | None = None
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._work, name="encoder", daemon=True).start()

    async def encode(self, asks: Asks, bounds: Bounds) -> Encodings:
        """Have the texts of one request read, within bounds.

        Raises:
            EncoderOverloaded: the queue is full.
            EncoderTimeout: the deadline passed, waiting or running.
            EncoderFailed: the encoder raised.
        """
        if self._inside >= bounds.queue:
            raise EncoderOverloaded(f"{self._inside} prompts are in the queue")
        loop, future = asyncio.get_running_loop(), Future[Encodings]()
        self._moved(1)
        self._jobs.put((asks, future, loop))
        try:
            async with asyncio.timeout(bounds.deadline_seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise EncoderTimeout(f"no answer in {bounds.deadline_seconds * 1000:.0f} ms") from error
        except Exception as error:
            raise EncoderFailed(f"the encoder raised {type(error).__name__}") from error

    @property
    def busy_seconds(self) -> float:
        """How long the prompt that is running has been running; 0.0 where none is."""
        started = self._started
        return 0.0 if started is None else time.monotonic() - started

    def close(self) -> None:
        """Let the thread go once it has worked off what waits; nobody waits for it."""
        self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            asks, future, loop = job
            # Otherwise it timed out, or its client left, while it waited.
            if future.set_running_or_notify_cancel():
                self._run(asks, future)
            # A prompt counts until the thread is done with it, not until its client has lost patience: behind an
            # encoder that hangs the queue fills up, and what comes then is shed at the door.
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._moved, -1)

    def _run(self, asks: Asks, future: Future[Encodings]) -> None:
        self._started = time.monotonic()
        try:
            encodings = self._encode(asks)
        except BaseException as error:  # noqa: BLE001 - the thread must outlive whatever an encoder raises
            future.set_exception(error)
        else:
            future.set_result(encodings)
        finally:
            self._started = None

    def _moved(self, change: int) -> None:
        self._inside += change
        self._on_depth(self._inside)
