from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from prometheus_client import CollectorRegistry

from extproc_router.telemetry import otel
from extproc_router.telemetry.decision_log import DecisionLog
from extproc_router.telemetry.prometheus import Metrics
from extproc_router.types import Decision, Reason, Record
from extproc_router.verifier.judged import Judged, Outcome
from extproc_router.wiring import sinks

if TYPE_CHECKING:
    import pytest


def test_spans_are_off_unless_an_endpoint_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in otel.ENDPOINT_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert sinks._spans() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    spans = sinks._spans()
    assert spans is not None
    spans.close()


def test_an_endpoint_without_its_exporter_is_said_and_serving_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", None)
    assert sinks._spans() is None
    assert "extproc-router[otlp]" in caplog.text


class Collector(trace_service_pb2_grpc.TraceServiceServicer):  # type: ignore[misc]  # it has no types
    """An OTLP collector that remembers."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def Export(self, request: Any, context: object) -> Any:  # noqa: N802 - the service's name
        del context
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return trace_service_pb2.ExportTraceServiceResponse()


def test_spans_reach_a_real_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    collector, server = Collector(), grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        spans = sinks._spans()
        assert spans is not None
        decision = Decision("id", "", "cv", "ev", "embeddings", "", "m", "c", Reason.NAMED, "", "public", False, (), 0)
        spans.decided(Record(decision, 1_700_000_000.0, 0.001, None, "", ""))
        spans.close()
    finally:
        server.stop(None)
    [span] = collector.spans
    assert span.name == "route"
    assert {a.key: a.value.string_value for a in span.attributes}["gen_ai.request.model"] == "m"


def test_what_came_of_a_cascade_is_counted_and_logged() -> None:
    stream, registry = io.BytesIO(), CollectorRegistry()
    telemetry = sinks.Telemetry(Metrics(registry), DecisionLog(stream), None)
    telemetry.judged(Judged("id", "maths", Outcome.ACCEPTED), 1_700_000_000.0)
    telemetry.close()
    assert b'"kind":"cascade"' in stream.getvalue()
    labels = {"rule": "maths", "verdict": "accepted"}
    assert registry.get_sample_value("extproc_router_cascades_total", labels) == 1
