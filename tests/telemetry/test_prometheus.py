from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from extproc_router.telemetry.prometheus import Metrics
from extproc_router.types import Decision, Evidence, Reason, Record
from extproc_router.verifier.judged import Judged, Outcome, Paid

if TYPE_CHECKING:
    from pathlib import Path

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


def test_cascades_and_what_they_cost_are_counted() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    attempts = (Paid("small", 10, 4, counted=True, cost_usd=0.25), Paid("large", 10, 4, counted=False, cost_usd=2.0))
    metrics.judged(Judged("d1", "maths", Outcome.ESCALATED, attempts=attempts))
    metrics.judged(Judged("d2", "maths", Outcome.ACCEPTED, attempts=attempts[:1]))
    for verdict in ("escalated", "accepted"):
        labels = {"rule": "maths", "verdict": verdict}
        assert registry.get_sample_value("extproc_router_cascades_total", labels) == 1
    for model, cost in (("small", 0.5), ("large", 2.0)):
        assert registry.get_sample_value("extproc_router_cascade_cost_usd_total", {"model": model}) == cost


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
    for version in ("old", "old", "new"):
        metrics.applied(version, "e", 12.0)
    shown = [s.labels["config_version"] for f in registry.collect() for s in f.samples if s.name.endswith("build_info")]
    assert shown == ["new"]
    assert registry.get_sample_value("extproc_router_config_applied_timestamp_seconds") == 12


def test_several_workers_show_what_they_run_now_and_the_worst_of_it(tmp_path: Path) -> None:
    """As files merge them: of two workers, one is behind and has mistakes."""
    program = """
import sys
from prometheus_client import CollectorRegistry
from extproc_router.telemetry.prometheus import Metrics
metrics = Metrics(CollectorRegistry())
for version, time in zip(sys.argv[2:], (10, 20)):
    metrics.applied(version, "e", time)
metrics.reloaded("rejected" if int(sys.argv[1]) else "applied", int(sys.argv[1]))
"""
    for worker in (("0", "old", "new"), ("3", "old")):
        subprocess.run([sys.executable, "-c", program, *worker], env=_merging(tmp_path), check=True)
    shown = subprocess.run(
        [sys.executable, "-c", MERGE], env=_merging(tmp_path), capture_output=True, check=True
    ).stdout
    lines = shown.decode().splitlines()
    assert "extproc_router_config_mistakes 3.0" in lines
    assert "extproc_router_config_applied_timestamp_seconds 10.0" in lines
    assert 'extproc_router_reloads_total{outcome="applied"} 1.0' in lines
    assert 'extproc_router_reloads_total{outcome="rejected"} 1.0' in lines
    running = [line for line in lines if line.startswith("extproc_router_build_info") and line.endswith(" 1.0")]
    assert sorted(re.findall(r'config_version="(\w+)"', "".join(running))) == ["new", "old"]


MERGE = """
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
print(generate_latest(registry).decode())
"""


def _merging(directory: Path) -> dict[str, str]:
    return {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)}


def test_looks_at_the_files_are_counted_by_what_came_of_them() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    metrics.reloaded("applied", 0)
    metrics.reloaded("rejected", 2)
    assert registry.get_sample_value("extproc_router_reloads_total", {"outcome": "rejected"}) == 1
    assert registry.get_sample_value("extproc_router_config_mistakes") == 2
    metrics.reloaded("unchanged", 0)
    assert registry.get_sample_value("extproc_router_config_mistakes") == 0


def test_no_label_is_written_by_clients() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    for index in range(100):
        metrics.decided(replace(RECORD, decision=replace(DECISION, requested_model=f"m{index}", request_id=str(index))))
    samples = [s for f in registry.collect() for s in f.samples if s.name == "extproc_router_decisions_total"]
    assert len(samples) == 1
