"""Config + artefact -> what runs: the only place that knows every room."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from msgspec import Struct
from msgspec.structs import replace

from extproc_router import encoder as encoder_room
from extproc_router.config import compiling, loader
from extproc_router.encoder import recent
from extproc_router.errors import ConfigError, ModelFailed, ShedError, StartupError
from extproc_router.policy.stickiness import Held
from extproc_router.router import Opened, Plan, Router, Terms
from extproc_router.server import addresses, app, metrics_endpoint, token_counter
from extproc_router.server.encoder_executor import EncoderExecutor
from extproc_router.server.model_client import ModelClient
from extproc_router.server.service import Runtime
from extproc_router.signals.base import Answers, Resources
from extproc_router.telemetry import otel
from extproc_router.telemetry.decision_log import DecisionLog
from extproc_router.telemetry.prometheus import Metrics
from extproc_router.types import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extproc_router.config.compiling import Compiled
    from extproc_router.config.loader import Config
    from extproc_router.encoder import Encoder
    from extproc_router.server.encoder_executor import Asks, Encodings
    from extproc_router.server.observer import Observer
    from extproc_router.types import Ask, Encoding, HttpRequest, Mistake, Record

log = logging.getLogger(__name__)


def read_config(path: Path) -> Config:
    """Read and check a config file.

    Raises:
        StartupError: it cannot be read.
        ConfigError: it has mistakes.
    """
    return loader.load(read_file(path), str(path))


def read_file(path: Path) -> bytes:
    """Read a file that a user named.

    Raises:
        StartupError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise StartupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def resources(encoder: Encoder) -> Resources:
    """Return what signals may need of an artefact."""
    return Resources(
        heads=frozenset(encoder.signals),
        domains=encoder.labels,
        confidence_floor=encoder.confidence_floor,
        embed=lambda text: tuple(encoder.embed(text).tolist()),
    )


def compile_config(config: Config, encoder: Encoder) -> Compiled:
    """Compile a config against the artefact that will read prompts for it.

    Raises:
        ConfigError: with every mistake.
    """
    offered, floor = resources(encoder), config.routing.confidence_floor
    return compiling.compile_config(config, offered if floor is None else replace(offered, confidence_floor=floor))


def counters(config: Config) -> dict[str, Callable[[str], int]]:
    """Load the tokenizers that the config names, each once; returns what counts, by model name.

    Raises:
        ConfigError: one cannot be read.
    """
    loaded: dict[str, Callable[[str], int]] = {}
    mistakes: list[Mistake] = []
    for place, model in config.entries("models"):
        if model.tokenizer and model.tokenizer not in loaded:
            try:
                loaded[model.tokenizer] = token_counter.load(Path(config.document.file).parent / model.tokenizer)
            except StartupError as error:
                mistakes.append(config.document.mistake(("models", place, "tokenizer"), str(error)))
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return {model.name: loaded[model.tokenizer] for model in config.candidates if model.tokenizer}


def build_router(config: Config, encoder: Encoder) -> Router:
    """Build what decides under a config.

    Raises:
        ConfigError: with every mistake.
    """
    compiled = compile_config(config, encoder)
    terms = Terms(
        policy=compiled.policy,
        readers=compiled.readers,
        redactors=compiled.redactors,
        matchers=compiled.matchers,
        unrouted=config.routing.unrouted,
        counters=counters(config),
        counts_tokens=compiled.counts_tokens,
        sticky_by=compiled.sticky_by,
        config_version=config.version,
        encoder_version=encoder.version,
        max_body_bytes=config.limits.max_body_bytes,
        created=int(time.time()),
    )
    return Router(terms, Held(config.limits.sticky_conversations, os.urandom(16)))


def read_all(encoder: Encoder, asks: Asks) -> Encodings:
    """Read every text that is asked for; a text that the encoder fails at has its error in place of an encoding."""
    return {ask.text: _read(encoder, ask) for ask in asks}


def _read(encoder: Encoder, ask: Ask) -> Encoding | ShedError:
    try:
        return encoder.encode(ask.text, ask.heads, embedding=ask.embedding)
    except ShedError as error:
        return error


def decide(router: Router, encoder: Encoder, http: HttpRequest) -> tuple[Answer, Opened | None]:
    """Decide one request here and now, with the encoder and without asking any language model.

    Those who explain, test and evaluate a policy need no server for it; signals that ask a language model are absent.

    Returns:
        The answer; and the request with all that was read, None where rules did not decide it.
    """
    opened = router.open(http, "offline")
    if isinstance(opened, Answer):
        return opened, None
    outcome = router.advance(opened)
    while isinstance(outcome, Plan):
        said: dict[str, bytes | ShedError] = {
            question.signal: ModelFailed("language models are not asked offline") for question in outcome.questions
        }
        outcome = router.decide(outcome, Answers(read_all(encoder, outcome.asks), said))
    return outcome, opened


def build_runtime(
    config: Config, encoder: Encoder, observer: Observer, encode: Callable[[Asks], Encodings] | None = None
) -> Runtime:
    """Build what the server runs.

    Args:
        config: the policy and its limits.
        encoder: the loaded artefact.
        observer: told of the encoder's queue.
        encode: stands in for the artefact's own; tests bring encoders that hang.
    """
    router = build_router(config, encoder)
    executor = EncoderExecutor(
        encode or partial(read_all, encoder),
        queue=config.limits.encoder_queue,
        deadline_seconds=config.limits.encoder_deadline_ms / 1000,
        on_depth=observer.queue_changed,
    )
    return Runtime(router, executor, dict(_matchers(config)))


def _matchers(config: Config) -> Iterator[tuple[str, ModelClient]]:
    for written in config.written.signals:
        matcher = getattr(written, "matcher", None)
        if matcher is not None:
            yield written.name or written.kind, ModelClient(matcher.url, deadline_seconds=matcher.deadline_ms / 1000)


def load_encoder(path: Path, *, remember: int = recent.ENTRIES) -> Encoder:
    """Load and warm an artefact.

    Args:
        path: of its directory.
        remember: how many of the last answers are kept; 0 for none.

    Raises:
        ArtefactError: it is missing, corrupt or does not fit.
    """
    encoder = encoder_room.load(path, remember=remember)
    encoder.warm_up()
    return encoder


class ServeOptions(Struct, frozen=True):
    """What `serve` was asked for; addresses as written, `remember` as in `load_encoder`, `worker` of `workers`."""

    config: Path
    model: Path
    listen: str
    health_listen: str | None
    metrics_listen: str | None
    drain_seconds: float
    remember: int = recent.ENTRIES
    worker: int = 0
    workers: int = 1


def serve(options: ServeOptions) -> None:
    """Run one worker to its end.

    Raises:
        RouterError: it could not start; the message says why.
    """
    config = read_config(options.config)
    shares = options.workers > 1
    settings = app.Settings(
        listen=_address(options.listen, options),
        health=_address(options.health_listen, options) if options.health_listen else None,
        share_port=shares,
        drain_seconds=options.drain_seconds,
        max_body_bytes=config.limits.max_body_bytes,
    )
    telemetry = build_telemetry()
    # With several workers the supervisor serves the merged metrics.
    stop_metrics = (
        metrics_endpoint.start(addresses.parse(options.metrics_listen))
        if options.metrics_listen and not shares
        else lambda: None
    )

    def load() -> Runtime:
        encoder = load_encoder(options.model, remember=options.remember)
        runtime = build_runtime(config, encoder, telemetry)
        telemetry.loaded(config.version, encoder.version)
        return runtime

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(app.serve(settings, load, telemetry))
    finally:
        stop_metrics()
        telemetry.close()


def _address(template: str, options: ServeOptions) -> addresses.Address:
    return addresses.parse(addresses.for_worker(template, options.worker, options.workers))


class Telemetry:
    """All sinks as one observer."""

    def __init__(self, metrics: Metrics, log: DecisionLog, spans: otel.Spans | None) -> None:
        self._metrics, self._log, self._spans = metrics, log, spans
        self.loaded = metrics.loaded
        self.stream_opened = metrics.stream_opened
        self.stream_closed = metrics.stream_closed
        self.queue_changed = metrics.queue_changed
        self.failed = metrics.failed

    def decided(self, record: Record) -> None:
        """Hand one record to every sink."""
        self._metrics.decided(record)
        self._log.decided(record)
        if self._spans:
            self._spans.decided(record)

    def close(self) -> None:
        """Write what waits, within bounds."""
        self._log.close()
        if self._spans:
            self._spans.close()


def build_telemetry() -> Telemetry:
    """Build the sinks: metrics, the decision log on stdout, spans where an OTLP endpoint is set."""
    # Somebody may have closed stdout before we were started.
    stdout = sys.stdout.buffer if sys.stdout else Path(os.devnull).open("wb")  # noqa: SIM115 - as long as we live
    return Telemetry(Metrics(), DecisionLog(stdout), _spans())


def _spans() -> otel.Spans | None:
    if not any(os.environ.get(variable) for variable in otel.ENDPOINT_VARIABLES):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - optional
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - only with the above
    except ImportError:
        log.warning("an OTLP endpoint is set, but no spans are sent: extproc-router[otlp] is not installed")
        return None
    return otel.Spans(BatchSpanProcessor(OTLPSpanExporter()))
