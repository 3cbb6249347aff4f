"""One gRPC stream per HTTP request: messages in, the exchange between, messages out."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import grpc
from msgspec import Struct, field

from extproc_router.errors import ShedError
from extproc_router.extproc import codec
from extproc_router.extproc.commands import Decide
from extproc_router.extproc.events import RequestBody, Unknown
from extproc_router.extproc.exchange import Exchange
from extproc_router.router import Plan, Router, declared_length
from extproc_router.server import streams
from extproc_router.server.body_budget import BodyBudget
from extproc_router.server.encoder_executor import Bounds, EncoderExecutor
from extproc_router.server.model_client import ModelClient
from extproc_router.server.tenure import Tenure
from extproc_router.signals.base import Answers
from extproc_router.types import Answer, Record
from extproc_router.verifier.terms import Terms
from extproc_router.verifier.verdicts import Judge

if TYPE_CHECKING:
    from extproc_router.server.body_budget import Lease
    from extproc_router.server.encoder_executor import Encodings
    from extproc_router.server.observer import Observer
    from extproc_router.types import Ask, HttpRequest, Question

T = TypeVar("T")

# What takes longer than a change of threads: reading it, searching it, replacing in it.
_INLINE_BYTES = 8 * 1024
# So many of the longest bodies may be held at once, or accordingly more of shorter ones.
_HELD_BODIES = 8


class Runtime(Struct, frozen=True):
    """What a stream holds on to from its first message to its last.

    Attributes:
        router: decides.
        encoder: reads texts for it.
        bounds: how much it may ask of the encoder.
        matchers: signal name -> the language model that this signal asks.
        release: lets go of encoder and matchers, which other runtimes may hold too.
        judge: judges the first answers of cascades.
    """

    router: Router
    encoder: EncoderExecutor
    bounds: Bounds
    matchers: Mapping[str, ModelClient] = field(default_factory=dict)
    release: Callable[[], None] = lambda: None
    judge: Judge = field(default_factory=lambda: Judge(Terms()))


class ExternalProcessor:
    """Envoy's `ExternalProcessor` service.

    Args:
        runtime: what decides, until `swap`.
        observer: told what happens.
    """

    def __init__(self, runtime: Runtime, observer: Observer) -> None:
        self._tenure = Tenure(runtime)
        self._observer = observer
        self._budget = BodyBudget(_HELD_BODIES * runtime.router.max_body_bytes)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")
        # Unique without a system call per request: a random prefix for the process, then a count.
        self._id_prefix = os.urandom(6).hex()
        self._ids = itertools.count()

    @property
    def runtime(self) -> Runtime:
        """What new streams begin with."""
        return self._tenure.holder

    def swap(self, runtime: Runtime) -> None:
        """Have new streams begin with another runtime; those that are open end with their own."""
        before, self._tenure = self._tenure, Tenure(runtime)
        before.retire()

    async def process(self, _: object, context: grpc.aio.ServicerContext) -> None:
        """Answer one stream."""
        await streams.answer(self._converse, context, self._observer, of="router")

    async def _converse(self, context: grpc.aio.ServicerContext) -> None:
        message = await context.read()
        if message is grpc.aio.EOF:
            return
        with self._tenure as runtime, self._budget.lease() as lease:
            router = runtime.router

            def wants_body(http: HttpRequest) -> bool:
                return router.wants_body(http) and lease.cover(declared_length(http))

            exchange = Exchange(codec.modes(message), wants_body, router.max_body_bytes)
            gathered = 0
            while message is not grpc.aio.EOF:
                event = codec.decode(message)
                if isinstance(event, RequestBody):
                    gathered += len(event.data)
                    lease.cover(gathered)
                elif isinstance(event, Unknown):
                    self._observer.failed("unknown_message")
                for command in exchange.receive(event):
                    if isinstance(command, Decide):
                        answer = await self._decide(runtime, command.http, lease)
                        for consequence in exchange.answer(answer):
                            await context.write(codec.encode(consequence))
                    else:
                        await context.write(codec.encode(command))
                message = await context.read()

    async def _decide(self, runtime: Runtime, http: HttpRequest, lease: Lease) -> Answer:
        started = time.perf_counter()
        encoder_seconds: float | None = None
        outcome, shed = await self._read(runtime, http, lease), ""
        if isinstance(outcome, Answer) and lease.refused:
            shed = "memory"
        while isinstance(outcome, Plan):
            answers, cause, seconds = await self._ask(runtime, outcome)
            shed = shed or cause
            if seconds is not None:
                encoder_seconds = (encoder_seconds or 0.0) + seconds
            outcome = await self._off_loop(http, runtime.router.decide, outcome, answers)
        self._observer.decided(
            Record(
                decision=outcome.decision,
                unix_time=time.time(),
                total_seconds=time.perf_counter() - started,
                encoder_seconds=encoder_seconds,
                shed=shed,
                traceparent=http.headers.get("traceparent", ""),
            )
        )
        return outcome

    async def _ask(self, runtime: Runtime, plan: Plan) -> tuple[Answers, str, float | None]:
        """Get the answers to a plan, all at once; why the encoder was shed, and how long it took where it was asked."""
        encoded = self._encode(runtime, plan.asks)
        if not plan.questions:
            encodings, cause, seconds = await encoded
            return Answers(encodings), cause, seconds
        asked = asyncio.gather(*(self._question(runtime, question) for question in plan.questions))
        (encodings, cause, seconds), said = await asyncio.gather(encoded, asked)
        signals = (question.signal for question in plan.questions)
        return Answers(encodings, dict(zip(signals, said, strict=True))), cause, seconds

    async def _encode(self, runtime: Runtime, asks: tuple[Ask, ...]) -> tuple[Encodings, str, float | None]:
        if not asks:
            return {}, "", None
        started = time.perf_counter()
        try:
            encodings, cause = await runtime.encoder.encode(asks, runtime.bounds), ""
        except ShedError as error:
            encodings, cause = dict.fromkeys((ask.text for ask in asks), error), error.cause
        return encodings, cause, time.perf_counter() - started

    async def _question(self, runtime: Runtime, question: Question) -> bytes | ShedError:
        try:
            return await runtime.matchers[question.signal].ask(question.body)
        except ShedError as error:
            return error

    async def _read(self, runtime: Runtime, http: HttpRequest, lease: Lease) -> Answer | Plan:
        decision_id = f"{self._id_prefix}{next(self._ids):08x}"
        if lease.refused:
            return runtime.router.shed(http, decision_id, "too many bodies are held already")
        return await self._off_loop(http, runtime.router.read, http, decision_id)

    async def _off_loop(self, http: HttpRequest, work: Callable[..., T], *arguments: object) -> T:
        """Do what takes as long as the body is long; off the event loop where others would be late."""
        # A compressed body may be long.
        if http.body and (len(http.body) > _INLINE_BYTES or "content-encoding" in http.headers):
            return await asyncio.get_running_loop().run_in_executor(self._reader, partial(work, *arguments))
        return work(*arguments)

    def close(self) -> None:
        """Let the reading thread go, and the runtime once its last stream is over."""
        self._tenure.retire()
        self._reader.shutdown(wait=False, cancel_futures=True)


class Processor(Protocol):
    """A service of Envoy's external processing API."""

    async def process(self, _: object, context: grpc.aio.ServicerContext) -> None:
        """Answer one stream."""


def handler(service: Processor) -> grpc.GenericRpcHandler:
    """Register the service by hand: the reply is bytes already, and needs no serialiser."""
    method = grpc.stream_stream_rpc_method_handler(
        service.process, request_deserializer=codec.parse, response_serializer=None
    )
    return grpc.method_handlers_generic_handler(codec.SERVICE, {codec.METHOD: method})
