"""Questions to the machine and to what runs on it: which Envoy, which ports, ready, how much memory."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from extproc_router.envoyconf import binary

envoy_binary, ENVOY_VARIABLE = binary.find, binary.VARIABLE
PROBE_SECONDS = 1.0


def get(port: int, path: str) -> tuple[int, bytes]:
    """GET a path of 127.0.0.1, past any proxy.

    Returns:
        Status and body; status 0 where nothing answered within `PROBE_SECONDS`.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def envoy_is_ready(admin_port: int) -> bool:
    """Whether Envoy's admin interface says LIVE: listeners open, clusters checked once."""
    return get(admin_port, "/ready")[0] == 200  # noqa: PLR2004 (HTTP's own number)


def is_serving(health_port: int, service: str = "readiness") -> bool:
    """Whether a gRPC health service says SERVING."""
    with grpc.insecure_channel(f"127.0.0.1:{health_port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=PROBE_SECONDS)
        except grpc.RpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nothing listens on, all different."""
    with ExitStack() as sockets:
        return [_bind(sockets, 0) for _ in range(count)]


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of 127.0.0.1."""
    with ExitStack() as sockets:
        try:
            _bind(sockets, port)
        except OSError:
            return False
    return True


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, from /proc."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def children_of(pid: int) -> list[int]:
    """Process ids of a process's direct children, from /proc."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def _bind(sockets: ExitStack, port: int) -> int:
    probe = sockets.enter_context(socket.socket())
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", port))
    return int(probe.getsockname()[1])
