"""One span per decision, made by hand from the record; off unless an OTLP endpoint is set.

Attribute names follow OpenTelemetry's GenAI conventions where they have one (`gen_ai.*`), copied: the package that
holds them calls itself incubating.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from extproc_router import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

    from extproc_router.types import Record

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_NANOSECONDS = 1_000_000_000
_END_SECONDS = 2.0


class Spans:
    """Turns records into spans.

    Args:
        processor: where finished spans go; it batches and exports on its own thread.
    """

    def __init__(self, processor: SpanProcessor) -> None:
        resource = Resource.create({"service.name": "extproc-router", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("extproc_router", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def decided(self, record: Record) -> None:
        """Make the span of one decision, a child of the request's own trace where there is one."""
        decision = record.decision
        carrier = {"traceparent": record.traceparent} if record.traceparent else {}
        start = int(record.unix_time * _NANOSECONDS)
        span = self._tracer.start_span(
            "route",
            context=self._propagator.extract(carrier),
            kind=SpanKind.INTERNAL,
            start_time=start - int(record.total_seconds * _NANOSECONDS),
            attributes={
                "gen_ai.operation.name": decision.api,
                "gen_ai.request.model": decision.model,
                "extproc_router.decision.id": decision.id,
                "extproc_router.requested_model": decision.requested_model,
                "extproc_router.cluster": decision.cluster,
                "extproc_router.reason": decision.reason.value,
                "extproc_router.rule": decision.rule,
                "extproc_router.config_version": decision.config_version,
                "extproc_router.privacy_tier": decision.privacy_tier,
            },
        )
        for signal in decision.signals:
            span.set_attribute(f"extproc_router.signal.{signal.name}", signal.label)
            span.set_attribute(f"extproc_router.signal.{signal.name}.confidence", signal.confidence)
        if record.encoder_seconds is not None:
            span.set_attribute("extproc_router.encoder_ms", record.encoder_seconds * 1000)
        span.end(start)

    def close(self) -> None:
        """Export what waits, within a bound: a collector that is not there may not hold up the end."""
        ending = threading.Thread(target=self._provider.shutdown, name="spans-end", daemon=True)
        ending.start()
        ending.join(_END_SECONDS)
