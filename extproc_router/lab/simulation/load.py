"""What a simulated model server says of its load: vLLM's metrics, and its ORCA header.

The header's formats: https://docs.google.com/document/d/1C1ybMmDKJIVlrbOLbywhu9iRYo4rilR-cT50OTtOFTs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from extproc_router.lab.simulation.answer import Answer

if TYPE_CHECKING:
    from extproc_router.lab.simulation.behaviour import Behaviour
    from extproc_router.lab.simulation.received import Received

ASKS, TELLS = "endpoint-load-metrics-format", "endpoint-load-metrics"


def metrics(behaviour: Behaviour, *, model: str, running: int) -> Answer:
    """`/metrics`, in Prometheus' text format."""
    gauges = (
        ("num_requests_running", "Number of requests in model execution batches.", float(running)),
        ("num_requests_waiting", "Number of requests waiting to be processed.", float(behaviour.requests_waiting)),
        ("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", behaviour.kv_cache_usage),
    )
    label = model.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    lines = [
        f"# HELP vllm:{name} {meaning}\n# TYPE vllm:{name} gauge\n"
        f'vllm:{name}{{engine="0",model_name="{label}"}} {value}\n'
        for name, meaning, value in gauges
    ]
    return Answer(content_type="text/plain; version=0.0.4; charset=utf-8", body="".join(lines).encode())


def orca(request: Received, behaviour: Behaviour) -> tuple[tuple[str, str], ...]:
    """The header that tells the load, where the request asks for it in a format that vLLM knows."""
    named = {
        "kv_cache_usage_perc": behaviour.kv_cache_usage,
        "num_requests_waiting": float(behaviour.requests_waiting),
    }
    match (request.header(ASKS) or "").lower():
        case "json":
            return ((TELLS, f"JSON {json.dumps({'named_metrics': named})}"),)
        case "text":
            return ((TELLS, "TEXT " + ", ".join(f"named_metrics.{name}={value}" for name, value in named.items())),)
        case _:
            return ()
