from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from extproc_router.errors import StartupError
from extproc_router.server import metrics_endpoint
from extproc_router.server.addresses import Address


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_metrics_are_served_until_stopped() -> None:
    registry, port = CollectorRegistry(), free_port()
    Counter("seen", "Seen", registry=registry).inc()
    stop = metrics_endpoint.start(Address("127.0.0.1", port), registry)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
            assert b"seen_total 1.0" in reply.read()
    finally:
        stop()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_a_taken_port_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with pytest.raises(StartupError, match=str(port)):
            metrics_endpoint.start(Address("127.0.0.1", port), CollectorRegistry())


def test_a_unix_socket_is_no_place_for_metrics() -> None:
    with pytest.raises(StartupError, match="TCP"):
        metrics_endpoint.start(Address(path="/run/x"))


def test_what_several_workers_ran_once_is_not_shown() -> None:
    inner, outer = CollectorRegistry(), CollectorRegistry()
    info = Gauge("build_info", "What runs", ("version",), registry=inner)
    info.labels("old").set(0)
    info.labels("new").set(1)
    Gauge("idle", "Nothing", registry=inner).set(0)
    outer.register(metrics_endpoint.OnlyWhatIs(inner))
    assert outer.get_sample_value("build_info", {"version": "new"}) == 1
    assert outer.get_sample_value("build_info", {"version": "old"}) is None
    assert outer.get_sample_value("idle") == 0
