"""Asking a model behind Envoy, within a deadline: for strategies that have a language model judge the prompt.

The judge is a cluster of the same Envoy, reached by a second listener, bound to the loopback address, whose one route
leads there and whose filter chain has no ext_proc. So TLS, credentials, retries and outlier detection are Envoy's, and
asking cannot come back to us as another request to route. (On the public listener it could: and `x-selected-cluster`
is removed there, as it must be.)
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from extproc_router.errors import ModelFailed, ModelOverloaded, ModelTimeout, StartupError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from extproc_router.learning.judge import Question

PATH = "/v1/chat/completions"
MAX_ANSWER_BYTES = 1 << 20
_DEFAULT_PORT = 80


class ModelClient:
    """Asks over plain HTTP/1.1, each question on a thread and a connection of its own.

    Args:
        base_url: of the listener, e.g. `http://127.0.0.1:10001`; a path in it is put before `PATH`.
        deadline_seconds: connecting, waiting and reading together; positive.
        at_once: questions that may run; each holds a thread.
        queue: questions that may run or wait; one more is shed.

    Raises:
        StartupError: the URL is not plain HTTP with a host.
    """

    def __init__(self, base_url: str, *, deadline_seconds: float, at_once: int = 8, queue: int = 32) -> None:
        try:
            parts = urlsplit(base_url)
            host, port = parts.hostname, parts.port or _DEFAULT_PORT
        except ValueError as error:
            raise StartupError(f"{base_url}: {error}") from error
        if parts.scheme != "http" or not host or parts.query or parts.fragment or parts.username:
            raise StartupError(f"{base_url}: expected http://HOST:PORT, a listener of Envoy; TLS is Envoy's to add")
        self._address = host, port
        self._path = parts.path.rstrip("/") + PATH
        self._deadline_seconds = deadline_seconds
        self._queue = queue
        self._inside = 0
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="judge")

    async def need(self, question: Question, prompt: str) -> float:
        """Ask how much a prompt needs the strong model.

        Returns:
            In [0, 1].

        Raises:
            ModelOverloaded: too many questions are waiting.
            ModelTimeout: the deadline passed.
            ModelFailed: no answer, or not one with status 200.
            UnclearAnswer: the answer is not what was asked for.
        """
        return question.read(await self.ask(question.body(prompt)))

    async def ask(self, body: bytes) -> bytes:
        """POST a body and return the answer's.

        Raises:
            ModelOverloaded: too many questions are waiting.
            ModelTimeout: the deadline passed.
            ModelFailed: no answer, or not one with status 200.
        """
        if self._inside >= self._queue:
            raise ModelOverloaded(f"{self._inside} questions are waiting")
        loop = asyncio.get_running_loop()
        exchange = _Exchange(self._address, self._path, body, time.monotonic() + self._deadline_seconds)
        future = self._threads.submit(exchange.run)
        self._inside += 1
        # A question leaves when its thread is done with it, not when its client has lost patience.
        future.add_done_callback(lambda done: self._leave(loop, done))
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise ModelTimeout(f"no answer in {self._deadline_seconds * 1000:.0f} ms") from error
        except (OSError, http.client.HTTPException) as error:
            # What HTTP's own errors say may be what the model answered, and that may be what it was asked.
            raise ModelFailed(f"{type(error).__name__} {getattr(error, 'strerror', '') or ''}".rstrip()) from error
        finally:
            exchange.abort()

    @property
    def inside(self) -> int:
        """How many questions run or wait."""
        return self._inside

    def close(self) -> None:
        """Let the threads go; questions that wait are dropped, those that run end by their deadline."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _leave(self, loop: asyncio.AbstractEventLoop, future: Future[bytes]) -> None:
        if not future.cancelled():
            future.exception()  # looked at: it may have nobody else left to be told
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._left)

    def _left(self) -> None:
        self._inside -= 1


class _Exchange:
    """One request and its answer, which another thread may cut short."""

    def __init__(self, address: tuple[str, int], path: str, body: bytes, deadline: float) -> None:
        self._address, self._path, self._body, self._deadline = address, path, body, deadline
        self._socket: socket.socket | None = None
        self._aborted = False

    def run(self) -> bytes:
        remaining = self._deadline - time.monotonic()
        if self._aborted or remaining <= 0:
            raise TimeoutError
        connection = http.client.HTTPConnection(*self._address, timeout=remaining)
        try:
            connection.connect()
            self._socket = connection.sock
            if self._aborted:
                raise TimeoutError
            headers = {"content-type": "application/json", "accept": "application/json", "connection": "close"}
            connection.request("POST", self._path, self._body, headers)
            with connection.getresponse() as response:
                answer = response.read(MAX_ANSWER_BYTES + 1)
            if response.status != http.client.OK:
                raise ModelFailed(f"status {response.status}")
            if len(answer) > MAX_ANSWER_BYTES:
                raise ModelFailed(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
            if response.length:
                raise ModelFailed(f"an answer cut short by {response.length} bytes")
            return answer
        finally:
            connection.close()

    def abort(self) -> None:
        # A timeout of the socket's own starts anew with every byte: a dripping server would hold the thread for ever.
        self._aborted = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
