"""Real processes: several workers behind one supervisor."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from grpc_health.v1 import health_pb2, health_pb2_grpc

from extproc_router.errors import StartupError
from extproc_router.lab import swapping
from extproc_router.server import state, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG = "models: [{name: small, cluster: small}]\nrouting: {default: small}\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def serving(path: Path) -> bool:
    with grpc.insecure_channel(f"unix:{path}") as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="readiness"), timeout=2
            )
        except grpc.RpcError:
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def ask(path: Path) -> str:
    """Route one named request over this socket; returns the cluster."""
    body = json.dumps({"model": "small", "messages": []}).encode()
    head = pb.ProcessingRequest()
    for key, value in ((":method", b"POST"), (":path", b"/v1/chat/completions")):
        head.request_headers.headers.headers.add(key=key, raw_value=value)
    messages = [head, pb.ProcessingRequest(request_body=pb.HttpBody(body=body, end_of_stream=True))]
    with grpc.insecure_channel(f"unix:{path}") as channel:
        call = channel.stream_stream(
            "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
            request_serializer=pb.ProcessingRequest.SerializeToString,
            response_deserializer=pb.ProcessingResponse.FromString,
        )
        *_, last = call(iter(messages), timeout=20)
    sets = {o.header.key: o.header.raw_value for o in last.request_body.response.header_mutation.set_headers}
    return str(sets["x-selected-cluster"].decode())


def start(directory: Path, *arguments: str, text: str = CONFIG) -> subprocess.Popen[str]:
    config = directory / "router.yaml"
    config.write_text(text)
    command = [sys.executable, "-m", "extproc_router", "serve", f"--config={config}", "--drain-seconds=1", *arguments]
    with (directory / "stderr").open("w") as stderr:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, text=True, start_new_session=True)


@pytest.fixture
def stop() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def test_workers_serve_are_replaced_and_end_together(directory: Path, stop: list[subprocess.Popen[str]]) -> None:
    port = free_port()
    sockets = [directory / f"{index}.sock" for index in range(2)]
    supervisor = start(
        directory, "--workers=2", f"--listen=unix:{directory}/{{worker}}.sock", f"--metrics-listen=127.0.0.1:{port}"
    )
    stop.append(supervisor)
    until(lambda: all(serving(path) for path in sockets))
    assert [ask(path) for path in sockets] == ["small", "small"]

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        metrics = reply.read().decode()
    counted = re.search(
        r'^extproc_router_decisions_total\{model="small",reason="named"\} (\S+)$', metrics, re.MULTILINE
    )
    assert counted, metrics
    assert float(counted.group(1)) == 2, "both workers' decisions are counted as one"

    before = children(supervisor.pid)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(children(supervisor.pid)) == 2 and before[0] not in children(supervisor.pid))
    until(lambda: all(serving(path) for path in sockets))
    assert [ask(path) for path in sockets] == ["small", "small"]

    alive = children(supervisor.pid)
    supervisor.terminate()
    assert supervisor.wait(30) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in alive)


def test_a_worker_that_cannot_start_stops_everything_with_its_reason(
    directory: Path, stop: list[subprocess.Popen[str]]
) -> None:
    supervisor = start(directory, "--workers=2", f"--listen=unix:{directory}/{{worker}}.sock", "--model=/nowhere")
    stop.append(supervisor)
    assert supervisor.wait(60) == 1
    said = (directory / "stderr").read_text()
    assert "/nowhere" in said
    assert "could not start" in said


def test_one_socket_for_two_workers_is_refused_at_once(directory: Path, stop: list[subprocess.Popen[str]]) -> None:
    supervisor = start(directory, "--workers=2", f"--listen=unix:{directory}/x.sock")
    stop.append(supervisor)
    assert supervisor.wait(30) == 1
    assert "cannot share" in (directory / "stderr").read_text()


def status(directory: Path) -> list[state.WorkerState]:
    try:
        return [seen.state for seen in state.workers(directory) if seen.alive]
    except StartupError:
        return []  # nothing is kept yet


def test_all_workers_come_to_run_what_is_in_the_file(directory: Path, stop: list[subprocess.Popen[str]]) -> None:
    port, kept, config = free_port(), directory / "state", directory / "router.yaml"
    sockets = [directory / f"{index}.sock" for index in range(2)]
    supervisor = start(
        directory,
        "--workers=2",
        f"--listen=unix:{directory}/{{worker}}.sock",
        f"--metrics-listen=127.0.0.1:{port}",
        f"--state={kept}",
    )
    stop.append(supervisor)
    until(lambda: all(serving(path) for path in sockets))

    swapping.rename(config, CONFIG + "# two\n")
    two = hashlib.sha256(config.read_bytes()).hexdigest()[:12]
    until(lambda: [worker.version for worker in status(kept)] == [two, two])

    swapping.rename(config, CONFIG + "oops: 1\n")
    supervisor.send_signal(signal.SIGHUP)  # it hands it on, and goes on itself
    until(lambda: all(worker.rejected_version for worker in status(kept)) and len(status(kept)) == 2)
    assert [worker.version for worker in status(kept)] == [two, two]
    assert all("oops: unknown field" in worker.mistakes[0] for worker in status(kept))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        metrics = reply.read().decode()
    assert re.findall(r'config_version="(\w+)".*\} 1\.0', metrics) == [two]
    assert "extproc_router_config_mistakes 1.0" in metrics
    assert [ask(path) for path in sockets] == ["small", "small"]

    dead = children(supervisor.pid)[0]
    os.kill(dead, signal.SIGKILL)  # its successor cannot run what lies there either
    until(lambda: len(children(supervisor.pid)) == 2 and dead not in children(supervisor.pid))
    until(lambda: [worker.version for worker in status(kept)] == [two, two])
    until(lambda: all(serving(path) for path in sockets))

    swapping.mount(config, CONFIG + "# three\n", 3)
    three = hashlib.sha256(config.read_bytes()).hexdigest()[:12]
    until(lambda: [worker.version for worker in status(kept)] == [three, three])
    supervisor.terminate()
    assert supervisor.wait(30) == 0
    assert status(kept) == []
    assert {entry.version for entry in state.history(kept)} >= {two, three}


def test_a_proof_that_fails_ends_the_start_with_its_reason(directory: Path, stop: list[subprocess.Popen[str]]) -> None:
    router = start(directory, f"--listen=unix:{directory}/x.sock", "--envoy=/nowhere/envoy.yaml")
    stop.append(router)
    assert router.wait(60) == 1
    assert "/nowhere/envoy.yaml" in (directory / "stderr").read_text()


def records(directory: Path) -> tuple[workers._Records, list[int]]:
    forgotten: list[int] = []
    return workers._Records(directory, forgotten.append), forgotten


def test_what_a_worker_counted_that_never_served_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    kept, forgotten = records(tmp_path)
    for name in ("counter_12.db", "gauge_livesum_12.db", "counter_112.db", f"counter_{os.getpid()}.db"):
        (tmp_path / name).touch()
    kept.ended(12)
    assert not kept.any_served
    workers.say_served()
    assert kept.any_served
    kept.ended(os.getpid())
    assert {path.name for path in tmp_path.iterdir()} == {"counter_112.db", f"counter_{os.getpid()}.db"}
    assert kept.any_served
    assert forgotten == [12, os.getpid()]


def test_that_it_serves_is_told_where_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    workers.say_served()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "gone"))
    workers.say_served()


def test_a_worker_begins_without_sighup_and_with_last_good_once_one_has_served() -> None:
    script = "import os, signal, sys; os.kill(os.getpid(), signal.SIGHUP); sys.exit(len(sys.argv))"
    for last_good in (False, True):
        slot = workers._Worker([sys.executable, "-c", script])
        slot.start_if_due(last_good=last_good)
        assert slot.process is not None
        assert slot.process.wait(60) == 1 + last_good
    assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_first_start_that_is_killed_does_not_run_what_ran_once(
    directory: Path, stop: list[subprocess.Popen[str]]
) -> None:
    """Nobody has run the config since the supervisor was started: what ran before it is not asked for by itself."""
    kept, config = directory / "state", directory / "router.yaml"
    arguments = ["--workers=2", f"--listen=unix:{directory}/{{worker}}.sock", f"--state={kept}"]
    sockets = [directory / f"{index}.sock" for index in range(2)]
    first = start(directory, *arguments)
    stop.append(first)
    until(lambda: all(serving(path) for path in sockets))
    first.terminate()
    assert first.wait(30) == 0

    second = start(directory, *arguments, text=CONFIG + "oops: 1\n")
    stop.append(second)
    until(lambda: len(children(second.pid)) == 2)
    for child in children(second.pid):
        os.kill(child, signal.SIGKILL)
    assert second.wait(60) == 1
    said = (directory / "stderr").read_text()
    assert "oops: unknown field" in said
    assert "runs again" not in said
    assert config.exists()


def test_sighup_at_the_start_ends_nobody(directory: Path, stop: list[subprocess.Popen[str]]) -> None:
    supervisor = start(directory, "--workers=2", f"--listen=unix:{directory}/{{worker}}.sock")
    stop.append(supervisor)
    until(lambda: len(children(supervisor.pid)) == 2)
    alive = children(supervisor.pid)
    for child in alive:
        os.kill(child, signal.SIGHUP)
    until(lambda: all(serving(directory / f"{index}.sock") for index in range(2)))
    assert children(supervisor.pid) == alive


def test_a_pipe_in_place_of_a_file_hangs_nobody(directory: Path, stop: list[subprocess.Popen[str]]) -> None:
    os.mkfifo(directory / "pipe")
    router = start(directory, f"--listen=unix:{directory}/x.sock", f"--config={directory}/pipe")
    stop.append(router)
    assert router.wait(60) == 1
    assert "pipe: no plain file" in (directory / "stderr").read_text()


def test_the_end_does_not_wait_for_the_first_proof(directory: Path, stop: list[subprocess.Popen[str]]) -> None:
    router = start(directory, f"--listen=unix:{directory}/x.sock", "--envoy=envoy/envoy.yaml")
    stop.append(router)
    until(lambda: bool(children(router.pid)))
    [proof] = children(router.pid)
    os.kill(proof, signal.SIGSTOP)
    router.terminate()
    assert router.wait(30) == 0
    assert not Path(f"/proc/{proof}").exists()
