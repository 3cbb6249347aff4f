from __future__ import annotations

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from extproc_router.telemetry.prometheus import Metrics
from extproc_router.types import Decision, Evidence, Reason, Record

DECISION = Decision(
    "id", "rq", "cv", "ev", "chat_completions", "auto", "small", "c", Reason.DOMAIN, "", "public", False, (), 0
)
RECORD = Record(DECISION, 1.0, 0.004, 0.003, "", "")


def test_a_decision_is_counted_and_timed() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.decided(RECORD)
    metrics.decided(replace(RECORD, shed="timeout", encoder_seconds=None))
    labels = {"model": "small", "reason": "domain"}
    assert registry.get_sample_value("extproc_router_decisions_total", labels) == 2
    assert registry.get_sample_value("extproc_router_sheds_total", {"cause": "timeout"}) == 1
    assert registry.get_sample_value("extproc_router_decision_seconds_count") == 2
    assert registry.get_sample_value("extproc_router_encoder_seconds_count") == 1
    assert registry.get_sample_value("extproc_router_encoder_seconds_sum") == 0.003


def test_rules_and_absent_signals_are_counted() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    signals = (Evidence("domain", "", 0.0, absent="timeout"), Evidence("stream", "no", 1.0))
    told = replace(DECISION, rule="r", safety=("attacks=block",), shadow=("next=large",), signals=signals)
    metrics.decided(replace(RECORD, decision=told))
    assert registry.get_sample_value("extproc_router_rules_total", {"rule": "r"}) == 1
    assert registry.get_sample_value("extproc_router_safety_total", {"rule": "attacks=block"}) == 1
    assert registry.get_sample_value("extproc_router_shadow_total", {"outcome": "next=large"}) == 1
    absent = {"signal": "domain", "cause": "timeout"}
    assert registry.get_sample_value("extproc_router_signals_absent_total", absent) == 1


def test_gauges_show_what_is() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.stream_opened()
    metrics.stream_opened()
    metrics.stream_closed()
    metrics.queue_changed(7)
    metrics.failed("protocol_error")
    assert registry.get_sample_value("extproc_router_open_streams") == 1
    assert registry.get_sample_value("extproc_router_encoder_queue_depth") == 7
    assert registry.get_sample_value("extproc_router_failures_total", {"kind": "protocol_error"}) == 1


def test_what_runs_now_replaces_what_ran() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.loaded("old", "e")
    metrics.loaded("new", "e")
    shown = [s.labels["config_version"] for f in registry.collect() for s in f.samples if s.name.endswith("build_info")]
    assert shown == ["new"]


def test_no_label_is_written_by_clients() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    for index in range(100):
        metrics.decided(replace(RECORD, decision=replace(DECISION, requested_model=f"m{index}", request_id=str(index))))
    samples = [s for f in registry.collect() for s in f.samples if s.name == "extproc_router_decisions_total"]
    assert len(samples) == 1
