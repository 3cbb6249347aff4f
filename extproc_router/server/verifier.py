"""The verifier: Envoy's second ext_proc service, one gRPC stream for each attempt of a cascade.

It listens on an address of its own, for Envoy calls it on the way back from a model and for nothing else. What it keeps
between the attempts of a cascade is in this process, so one worker alone listens.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc

from extproc_router.attempts import Heard
from extproc_router.extproc import codec, verifying
from extproc_router.extproc.events import Unknown
from extproc_router.server import streams
from extproc_router.server.body_budget import BodyBudget
from extproc_router.server.hardening import told
from extproc_router.verifier import assessing, keeping
from extproc_router.verifier.assessing import Weigh, Weighed
from extproc_router.verifier.exchange import Exchange, Leave
from extproc_router.verifier.keeping import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from extproc_router.extproc.verifying import Event
    from extproc_router.server.observer import Observer
    from extproc_router.verifier.exchange import Command
    from extproc_router.verifier.judged import Judged
    from extproc_router.verifier.verdicts import Judge

log = logging.getLogger(__name__)

# What takes longer than a change of threads.
_INLINE_BYTES = 64 * 1024


class Verifier:
    """Envoy's `ExternalProcessor` service on the way back from a model.

    Args:
        judge: returns what judges now; it may be another one after a reload.
        observer: told what happens.
        keeper: what is kept between the attempts of a cascade.
    """

    def __init__(self, judge: Callable[[], Judge], observer: Observer, keeper: Keeper | None = None) -> None:
        self._judge = judge
        self._observer = observer
        self._keeper = keeper or Keeper(time.monotonic)
        self._budget = BodyBudget(keeping.MAX_BYTES)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="verifier")
        self._sweeping: asyncio.TimerHandle | None = None

    async def process(self, _: object, context: grpc.aio.ServicerContext) -> None:
        """Answer one stream."""
        await streams.answer(self._converse, context, self._observer, of="verifier")

    async def _converse(self, context: grpc.aio.ServicerContext) -> None:
        message = await context.read()
        if message is grpc.aio.EOF:
            return
        if not verifying.can_hold(codec.modes(message)):
            self._observer.failed("verifier_mode")
            return
        judge = self._judge()
        with self._budget.lease() as lease:
            exchange = Exchange(self._keeper, lease.cover)
            try:
                while message is not grpc.aio.EOF and not exchange.finished:
                    event = verifying.decode(message)
                    if isinstance(event, Unknown):
                        self._observer.failed("unknown_message")
                    await self._receive(context, exchange, judge, event)
                    if not exchange.finished:
                        message = await context.read()
            finally:
                self._tell(exchange.closed())
                self._sweep_later()

    async def _receive(self, context: grpc.aio.ServicerContext, exchange: Exchange, judge: Judge, event: Event) -> None:
        for command in exchange.receive(event):
            if isinstance(command, Weigh):
                await self._say(context, exchange.weighed(await self._weigh(judge, command)))
            else:
                await self._say(context, (command,))

    async def _say(self, context: grpc.aio.ServicerContext, commands: Iterable[Command]) -> None:
        for command in commands:
            # `Weigh` never follows upon itself.
            if not isinstance(command, Weigh | Leave):
                await context.write(verifying.encode(command))

    async def _weigh(self, judge: Judge, wanted: Weigh) -> Weighed:
        """Have an answer read and judged; off the event loop where others would be late."""
        try:
            if wanted.body and len(wanted.body) > _INLINE_BYTES:
                loop = asyncio.get_running_loop()
                weighed = await loop.run_in_executor(self._reader, assessing.weigh, judge, wanted)
            else:
                weighed = assessing.weigh(judge, wanted)
        except Exception as error:  # noqa: BLE001 - a defect of ours costs the verdict, not the answer
            weighed = Weighed(Heard(), wanted.body, failure=error)
        if weighed.failure:
            self._observer.failed("judge_failed")
            log.error("an answer could not be judged: %s", told(weighed.failure))
        return weighed

    def _tell(self, cascades: Iterable[Judged]) -> None:
        for judged in cascades:
            self._observer.judged(judged, time.time())

    def _sweep_later(self) -> None:
        """See to it that what is kept is forgotten in time, though no other request may come."""
        if self._sweeping is None and len(self._keeper):
            self._sweeping = asyncio.get_running_loop().call_later(keeping.SECONDS / 4, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        self._tell(self._keeper.sweep())
        self._sweep_later()

    def close(self) -> None:
        """Tell of every cascade whose end has not come, and let the thread go."""
        if self._sweeping:
            self._sweeping.cancel()
        self._tell(self._keeper.sweep(everything=True))
        self._reader.shutdown(wait=False, cancel_futures=True)
