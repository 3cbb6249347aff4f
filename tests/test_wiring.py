from __future__ import annotations

import asyncio
import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from extproc_router import encoder, wiring
from extproc_router.config import loader
from extproc_router.encoder import recent
from extproc_router.errors import ArtefactError, ConfigError, EncoderFailed, ModelFailed, StartupError
from extproc_router.router import Plan
from extproc_router.telemetry import otel
from extproc_router.types import Answer, Classification, Decision, Encoding, HttpRequest, Reason, Record

if TYPE_CHECKING:
    from extproc_router.encoder import Encoder


class Labels:
    """Stands in for an artefact: what a config is compiled against."""

    name, version, confidence_floor = "stand-in", "v", 0.33
    labels, signals = ("math", "law"), ("domain",)


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
    assert build(TEXT).terms.readers["domain"].floor == 0.33
    assert build(TEXT + "  confidence_floor: 0.5\n").terms.readers["domain"].floor == 0.5


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


def chat(text: str) -> HttpRequest:
    body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
    return HttpRequest("POST", "/v1/chat/completions", {}, body)


class Spy(Labels):
    """An encoder that is sure of mathematics, and fails at `bad`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, frozenset[str]]] = []

    def encode(self, text: str, signals: frozenset[str], *, embedding: bool) -> Encoding:
        self.asked.append((text, signals))
        if text == "bad":
            raise EncoderFailed("it broke")
        math = Classification("math", 0.9, {"math": 0.9})
        return Encoding({"domain": math}, {"domain": 1}, 1, windowed=False)


def test_only_the_heads_that_a_rule_reads_are_asked() -> None:
    spy = Spy()

    class Observer:
        def queue_changed(self, depth: int) -> None:
            pass

    async def ask() -> None:
        config = loader.load(TEXT, "r.yaml")
        runtime = wiring.build_runtime(config, cast("Encoder", spy), cast("Any", Observer()))
        plan = runtime.router.read(chat("why?"), "id")
        assert isinstance(plan, Plan)
        await runtime.encoder.encode(plan.asks)
        runtime.encoder.close()

    asyncio.run(ask())
    assert spy.asked == [("why?", frozenset({"domain"}))]


def test_a_request_is_decided_without_a_server() -> None:
    router = build(TEXT)
    answer, opened = wiring.decide(router, cast("Encoder", Spy()), chat("why?"))
    assert answer.decision.reason is Reason.DOMAIN
    assert opened is not None
    answer, _ = wiring.decide(router, cast("Encoder", Spy()), chat("bad"))
    assert answer.decision.reason is Reason.SHED
    listed, opened = wiring.decide(router, cast("Encoder", Spy()), HttpRequest("GET", "/v1/models", {}, None))
    assert (listed.decision.reason, opened) == (Reason.LISTED, None)


def test_signals_that_ask_a_language_model_are_absent_without_a_server() -> None:
    text = """
models: [{name: a, cluster: c}, {name: b, cluster: c}]
signals:
- name: task
  kind: preference
  routes: [{name: sql, description: writing SQL}, {name: law, description: reading contracts}]
  matcher: {url: "http://127.0.0.1:9", model: m, deadline_ms: 70}
rules: [{name: sql, when: {task: sql}, use: b}]
routing: {default: a}
"""

    class Embedding(Spy):
        def embed(self, text: str) -> Any:
            return np.array([1.0, 0.0] if "SQL" in text else [0.0, 1.0])

        def encode(self, text: str, signals: frozenset[str], *, embedding: bool) -> Encoding:
            assert embedding
            return Encoding({}, {}, 1, windowed=False, embedding=tuple(self.embed(text).tolist()))

    config, encoder = loader.load(text, "r.yaml"), cast("Encoder", Embedding())
    answer, opened = wiring.decide(wiring.build_router(config, encoder), encoder, chat("Fix my SQL"))
    assert answer.decision.model == "b"
    assert opened is not None
    assert isinstance(opened.readings.answers.said["task"], ModelFailed)
    assert dict(wiring._matchers(config)).keys() == {"task"}


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


TOKENIZER = """
models:
- {name: a, cluster: c, context_window: 100, tokenizer: tokenizer.json}
- {name: b, cluster: c, context_window: 100000, adapters: [{name: b-lora}], tokenizer: tokenizer.json}
- {name: d, cluster: c}
rules: [{name: all, use: [a, b]}]
routing: {default: b}
"""
SHIPPED = Path(__file__).parents[1] / "models/minilm-l4-router"


def test_a_prompt_near_a_window_is_counted_with_the_models_tokenizer(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)
    path = tmp_path / "router.yaml"
    path.write_text(TOKENIZER)
    config = wiring.read_config(path)
    counters = wiring.counters(config)
    assert counters.keys() == {"a", "b", "b-lora"}
    assert counters["a"] is counters["b"]
    encoder = cast("Encoder", Labels())
    router = wiring.build_router(config, encoder)
    chosen = [wiring.decide(router, encoder, chat("yes " * n))[0].decision.model for n in (96, 97)]
    assert chosen == ["a", "b"]  # and four between the turns


def test_a_tokenizer_that_cannot_be_read_is_a_mistake_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "router.yaml").write_text(TOKENIZER)
    with pytest.raises(ConfigError) as caught:
        wiring.counters(wiring.read_config(tmp_path / "router.yaml"))
    assert {(mistake.line, mistake.field) for mistake in caught.value.mistakes} == {
        (3, "models.0.tokenizer"),
        (4, "models.1.tokenizer"),
    }
