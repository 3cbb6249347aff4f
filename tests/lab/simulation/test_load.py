from __future__ import annotations

import json

from prometheus_client.parser import text_string_to_metric_families

from extproc_router.lab.simulation import load
from extproc_router.lab.simulation.behaviour import Behaviour
from extproc_router.lab.simulation.received import Received

BUSY = Behaviour(requests_waiting=3, kv_cache_usage=0.25)


def told(asked: str | None) -> str | None:
    headers = () if asked is None else (("endpoint-load-metrics-format", asked),)
    found = load.orca(Received("small", "POST", "/", headers, b""), BUSY)
    return found[0][1] if found else None


def test_the_header_comes_in_the_format_that_is_asked_for() -> None:
    header = told("JSON")
    assert header is not None
    kind, _, report = header.partition(" ")
    named = {"kv_cache_usage_perc": 0.25, "num_requests_waiting": 3.0}
    assert (kind, json.loads(report)) == ("JSON", {"named_metrics": named})
    assert told("text") == "TEXT named_metrics.kv_cache_usage_perc=0.25, named_metrics.num_requests_waiting=3.0"
    assert told("BIN") is None
    assert told(None) is None


def test_metrics_are_prometheus() -> None:
    page = load.metrics(BUSY, model='a"b\\c', running=2).body.decode()
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    assert {sample.name: sample.value for sample in samples} == {
        "vllm:num_requests_running": 2.0,
        "vllm:num_requests_waiting": 3.0,
        "vllm:kv_cache_usage_perc": 0.25,
    }
    assert {sample.labels["model_name"] for sample in samples} == {'a"b\\c'}
