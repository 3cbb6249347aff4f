from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from extproc_router import encoder, wiring
from extproc_router.config import loader
from extproc_router.encoder import recent
from extproc_router.errors import ArtefactError, ConfigError, StartupError
from extproc_router.telemetry import otel
from extproc_router.types import Answer, Decision, Encoding, HttpRequest, Reason, Record

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.encoder import Encoder


class Labels:
    """Stands in for an artefact: what a config is compiled against."""

    name, version, confidence_floor = "stand-in", "v", 0.33
    labels = ("math", "law")


def build(text: str) -> Any:
    config = loader.load(text, "r.yaml")
    return wiring.build_router(config, cast("Encoder", Labels()))


TEXT = "models: [{name: a, cluster: c}]\nrouting:\n  default: a\n  domains: {math: a}\n"


def test_a_domain_that_the_artefact_does_not_know_is_a_mistake_at_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        build(TEXT.replace("math", "maths"))
    [mistake] = caught.value.mistakes
    assert (mistake.line, mistake.field) == (4, "routing.domains.maths")
    assert "did you mean 'math'?" in mistake.message


def test_the_artefacts_own_floor_counts_where_the_config_names_none() -> None:
    assert build(TEXT)._policy.confidence_floor == 0.33
    assert build(TEXT + "  confidence_floor: 0.5\n")._policy.confidence_floor == 0.5


def test_a_model_that_is_left_out_means_auto() -> None:
    body = b'{"messages": [{"role": "user", "content": "hi"}]}'
    assert not isinstance(build(TEXT).read(HttpRequest("POST", "/v1/chat/completions", {}, body), "id"), Answer)


def test_a_missing_config_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        wiring.read_config(tmp_path / "none.yaml")
    with pytest.raises(StartupError, match="directory"):
        wiring.read_config(tmp_path)
    with pytest.raises(StartupError, match="null"):
        wiring.read_config(tmp_path / "a\0b")


def test_a_missing_artefact_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="none"):
        wiring.load_encoder(tmp_path / "none")


def test_how_much_is_remembered_is_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[int] = []

    class Double:
        def warm_up(self) -> None:
            pass

    def load(_: Path, *, remember: int) -> Double:
        asked.append(remember)
        return Double()

    monkeypatch.setattr(encoder, "load", load)
    wiring.load_encoder(tmp_path)
    wiring.load_encoder(tmp_path, remember=0)
    assert asked == [recent.ENTRIES, 0]


def test_only_the_heads_that_a_rule_reads_are_asked() -> None:
    asked: list[tuple[str, frozenset[str]]] = []

    class Spy(Labels):
        def encode(self, text: str, signals: frozenset[str]) -> Encoding:
            asked.append((text, signals))
            return Encoding({}, {}, 1, windowed=False)

    class Observer:
        def queue_changed(self, depth: int) -> None:
            pass

    async def ask() -> None:
        config = loader.load(TEXT, "r.yaml")
        runtime = wiring.build_runtime(config, cast("Encoder", Spy()), cast("Any", Observer()))
        await runtime.encoder.encode("why?")
        runtime.encoder.close()

    asyncio.run(ask())
    assert asked == [("why?", frozenset({"domain"}))]


def test_spans_are_off_unless_an_endpoint_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in otel.ENDPOINT_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert wiring._spans() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    spans = wiring._spans()
    assert spans is not None
    spans.close()


def test_an_endpoint_without_its_exporter_is_said_and_serving_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", None)
    assert wiring._spans() is None
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
        spans = wiring._spans()
        assert spans is not None
        decision = Decision("id", "", "cv", "ev", "embeddings", "", "m", "c", Reason.NAMED, "", "public", False, (), 0)
        spans.decided(Record(decision, 1_700_000_000.0, 0.001, None, "", ""))
        spans.close()
    finally:
        server.stop(None)
    [span] = collector.spans
    assert span.name == "route"
    assert {a.key: a.value.string_value for a in span.attributes}["gen_ai.request.model"] == "m"
