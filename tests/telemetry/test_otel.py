from __future__ import annotations

from msgspec.structs import replace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from extproc_router.telemetry.otel import Spans
from extproc_router.types import Decision, Evidence, Reason, Record

DECISION = Decision(
    "id", "rq", "cv", "ev", "chat_completions", "auto", "small", "c", Reason.DOMAIN, "", "public", False,
    (Evidence("domain", "math", 0.5),), 0,
)  # fmt: skip
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
RECORD = Record(DECISION, 1_700_000_000.0, 0.25, 0.1, "", TRACEPARENT)


def test_a_decision_is_a_span_in_the_requests_trace() -> None:
    exporter = InMemorySpanExporter()
    spans = Spans(SimpleSpanProcessor(exporter))
    spans.decided(RECORD)
    [span] = exporter.get_finished_spans()
    assert span.parent is not None
    assert format(span.parent.span_id, "016x") == "b7ad6b7169203331"
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 250_000_000
    attributes = dict(span.attributes or {})
    assert attributes["gen_ai.request.model"] == "small"
    assert attributes["extproc_router.signal.domain"] == "math"
    assert attributes["extproc_router.encoder_ms"] == 100
    spans.close()


def test_without_a_trace_it_begins_one() -> None:
    exporter = InMemorySpanExporter()
    spans = Spans(SimpleSpanProcessor(exporter))
    for traceparent in ("", "not a traceparent"):
        spans.decided(replace(RECORD, traceparent=traceparent))
    assert [span.parent for span in exporter.get_finished_spans()] == [None, None]
    spans.close()
