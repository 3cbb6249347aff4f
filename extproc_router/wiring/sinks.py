"""All sinks of telemetry as one observer."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from extproc_router.telemetry import otel
from extproc_router.telemetry.decision_log import DecisionLog
from extproc_router.telemetry.prometheus import Metrics

if TYPE_CHECKING:
    from extproc_router.types import Record
    from extproc_router.verifier.judged import Judged

log = logging.getLogger(__name__)


class Telemetry:
    """All sinks as one observer."""

    def __init__(self, metrics: Metrics, log: DecisionLog, spans: otel.Spans | None) -> None:
        self._metrics, self._log, self._spans = metrics, log, spans
        self.applied = metrics.applied
        self.reloaded = metrics.reloaded
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

    def judged(self, judged: Judged, unix_time: float) -> None:
        """Hand what came of a cascade to the sinks that count and log."""
        self._metrics.judged(judged)
        self._log.judged(judged, unix_time)

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
