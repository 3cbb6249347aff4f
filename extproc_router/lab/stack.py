"""The whole house on one machine: simulated model servers, the router, real Envoy with the envoy.yaml of its config."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router import wiring
from extproc_router.envoyconf import render
from extproc_router.lab import envoy_file
from extproc_router.lab.envoy_file import REPOSITORY
from extproc_router.lab.probes import envoy_binary, envoy_is_ready, free_ports, is_free, is_serving
from extproc_router.lab.processes import Child, running, wait_until
from extproc_router.lab.simulator import ModelServer, simulators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CLUSTERS = ("small", "large", "code")
CONFIG = REPOSITORY / "examples" / "quickstart.yaml"
MODEL = REPOSITORY / "models" / "minilm-l4-router"
PROGRAM = (sys.executable, "-m", "extproc_router")
PUBLIC_PORT = 8080
READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Router:
    """A running router.

    Attributes:
        child: its process; the log holds what it says to people.
        socket: where Envoy reaches it.
        verifier: where Envoy has cascades judged.
        health_port: gRPC health, on 127.0.0.1.
        metrics_port: Prometheus, on 127.0.0.1.
        decisions: the file of its decision log.
        ready_seconds: from its start until it was SERVING.
    """

    child: Child
    socket: Path
    verifier: Path
    health_port: int
    metrics_port: int
    decisions: Path
    ready_seconds: float


@dataclass(frozen=True, slots=True)
class Envoy:
    """A running Envoy: its process, public port and admin port on 127.0.0.1, and the file of its access log."""

    child: Child
    port: int
    admin_port: int
    access_log: Path

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def workspace() -> Iterator[Path]:
    """Give a new directory for logs and sockets, removed afterwards; a socket's path has 108 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="extproc-lab-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def router(
    directory: Path,
    *,
    config: Path = CONFIG,
    model: Path = MODEL,
    arguments: Sequence[str] = (),
    program: Sequence[str | Path] | None = None,
    seconds: float = READY_SECONDS,
) -> Iterator[Router]:
    """Run `extproc-router serve` until the block ends, and wait until it is ready.

    Args:
        directory: for its socket and logs.
        config: the router's config file.
        model: the encoder artefact.
        arguments: more of `serve`.
        program: what to run in place of `PROGRAM`; it is given `serve` and its arguments.
        seconds: how long it may take.

    Raises:
        StartupError: it ended or was not ready in time.
    """
    health_port, metrics_port = free_ports(2)
    socket, verifier = directory / "extproc.sock", directory / "verifier.sock"
    decisions = directory / "decisions.jsonl"
    argv = [
        *(program or PROGRAM),
        "serve",
        f"--config={config}",
        f"--model={model}",
        f"--listen=unix:{socket}",
        f"--verify-listen=unix:{verifier}",
        f"--health-listen=127.0.0.1:{health_port}",
        f"--metrics-listen=127.0.0.1:{metrics_port}",
        f"--state={directory / 'state'}",
        "--drain-seconds=1",
        *arguments,
    ]
    with running(argv, name="router", directory=directory, stdout=decisions) as child:
        took = wait_until(lambda: is_serving(health_port), child, seconds=seconds)
        yield Router(child, socket, verifier, health_port, metrics_port, decisions, took)


@contextmanager
def envoy(
    directory: Path,
    *,
    clusters: Mapping[str, str],
    port: int | None = None,
    base: envoy_file.Bootstrap | None = None,
    change: Callable[[envoy_file.Bootstrap], envoy_file.Bootstrap] | None = None,
    name: str = "envoy",
) -> Iterator[Envoy]:
    """Run Envoy with the shipped envoy.yaml, moved to loopback ports, until the block ends.

    Args:
        directory: for its config and logs.
        clusters: cluster name -> address, as in `envoy_file.relocate`.
        port: the public one; a free one by default.
        base: what is moved; the shipped file by default.
        change: applied to the moved bootstrap.
        name: names its files, where several run.

    Raises:
        StartupError: it ended or was not ready in time.
    """
    public, admin_port = free_ports(2)
    public = port or public
    bootstrap = envoy_file.relocate(
        base or envoy_file.load(),
        listener=f"127.0.0.1:{public}",
        admin=f"127.0.0.1:{admin_port}",
        clusters=clusters,
    )
    config = envoy_file.save(change(bootstrap) if change else bootstrap, directory / f"{name}.yaml")
    access_log = directory / f"{name}-access.jsonl"
    with start_envoy(config, directory=directory, name=name, stdout=access_log) as child:
        wait_until(lambda: envoy_is_ready(admin_port), child, seconds=READY_SECONDS)
        yield Envoy(child, public, admin_port, access_log)


@contextmanager
def start_envoy(config: Path, *, directory: Path, name: str, stdout: Path | None = None) -> Iterator[Child]:
    """Run Envoy with one worker thread and any config, without waiting for it."""
    argv: list[str | Path] = [envoy_binary(), "--config-path", config, "--concurrency", "1", "--disable-hot-restart"]
    argv += ["--log-level", "warning", "--file-flush-interval-msec", "100", "--drain-time-s", "1"]
    with running(argv, name=name, directory=directory, stdout=stdout) as child:
        yield child


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything, running; `served_by` says which cluster serves a model."""

    directory: Path
    servers: Mapping[str, ModelServer]
    router: Router
    envoy: Envoy
    served_by: Mapping[str, str]


@contextmanager
def stack(
    *,
    config: Path = CONFIG,
    port: int | None = None,
    plain: bool = False,
    arguments: Sequence[str] = (),
    change: Callable[[envoy_file.Bootstrap], envoy_file.Bootstrap] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Stack]:
    """Run everything until the block ends: a model server for each cluster of the config.

    Args:
        config: the router's config file.
        port: Envoy's public port; a free one by default.
        plain: whether Envoy knows the first model of each chain alone.
        arguments: more of `serve`.
        change: applied to the rendered bootstrap, moved already.
        say: told each step before it is taken.

    Raises:
        StartupError: something does not start.
    """
    with ExitStack() as parts:
        directory = parts.enter_context(workspace())
        read = wiring.read_config(config)
        served_by = {candidate.name: candidate.cluster for candidate in read.candidates}
        names = tuple(dict.fromkeys(served_by.values()))
        say(f"{len(names)} simulated model servers: {', '.join(names)}")
        servers = parts.enter_context(simulators(names))
        say("the router")
        routing = parts.enter_context(router(directory, config=config, arguments=arguments))
        say("Envoy")
        clusters = {name: f"127.0.0.1:{server.port}" for name, server in servers.items()}
        clusters |= {"extproc_router": f"unix:{routing.socket}"}
        base = envoy_file.rendered(read, plain=plain)
        if envoy_file.has_cluster(base, render.VERIFIER):
            clusters |= {render.VERIFIER: f"unix:{routing.verifier}"}
        fronting = parts.enter_context(envoy(directory, clusters=clusters, port=port, base=base, change=change))
        yield Stack(directory, servers, routing, fronting, served_by)


def public_port() -> int:
    """The port that people expect, or a free one where it is taken."""
    return PUBLIC_PORT if is_free(PUBLIC_PORT) else free_ports(1)[0]


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON Lines file that is still being written; an unfinished last line is left out."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    finished = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in finished.splitlines() if line.startswith("{")]
