"""The benchmark: what the router adds, as ratios to the same Envoy without it, in one run.

Upstream is a third Envoy that answers by itself, so that no Python but the router's is measured. Baseline and cases
take turns, so that noise hits both; each round's figures are compared with that round's baseline, and the medians over
the rounds are reported.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from extproc_router import encoder
from extproc_router.lab import bench_report, load, stack
from extproc_router.lab.bench_report import CaseFigures, EncoderFigures, Figures
from extproc_router.lab.envoy_file import save, without_ext_proc
from extproc_router.lab.probes import envoy_is_ready, free_ports, get, resident_bytes
from extproc_router.lab.processes import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.lab.load import Result
    from extproc_router.lab.stack import Envoy, Router

CONCURRENCIES = (1, 32)
CELL_SECONDS = 2.0
WARM_UP_SECONDS = 1.0
STARTS = 3
ENCODER_TOKENS = (16, 32, 64, 128, 512, 2_000, 8_000)
ENCODER_RUNS = 25


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked for, how long the prompt is, and how many different ones there are."""

    name: str
    model: str
    tokens: int
    count: int


BASELINE = Case("no router", "auto", 64, 256)
CASES = (
    Case("named model", "small-8b", 64, 256),
    Case("auto, 64 tokens", "auto", 64, 256),
    Case("auto, 128 tokens", "auto", 128, 256),
    Case("auto, 8,000 tokens", "auto", 8_000, 32),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One round of one case; `shed` is the share of its decisions that the encoder did not take part in for lack of
    time, in [0, 1].
    """

    result: Result
    shed: float = 0.0


def run(*, seconds: float, path: Path) -> int:
    """Run the benchmark, print the tables and write the figures.

    Args:
        seconds: time under load, all cases together.
        path: the JSON file; its directory is made.

    Returns:
        0; a missed target is shown, and is no failure.

    Raises:
        StartupError: something does not start.
    """
    cells_per_round = (len(CASES) + 1) * len(CONCURRENCIES)
    cell_seconds = min(CELL_SECONDS, max(1.0, seconds / cells_per_round))
    rounds = max(1, round(seconds / (cells_per_round * cell_seconds)))
    print(f"{rounds} rounds of {cells_per_round} cases, {cell_seconds:g} s each; generator: {load.generator_name()}")
    encoded = measure_encoder()
    ready = [start_once() for _ in range(STARTS - 1)]
    with Bench() as bench:
        ready.append(bench.router.ready_seconds)
        bench.warm_up()
        measured = [bench.round(number, rounds, cell_seconds) for number in range(rounds)]
        figures = Figures(
            generator=load.generator_name(),
            generator_ceiling_per_second=bench.ceiling(cell_seconds),
            cases=_combine(measured),
            encoder=encoded,
            rss_bytes=resident_bytes(bench.router.child.pid),
            ready_seconds=median(ready),
            rounds=rounds,
            cell_seconds=cell_seconds,
        )
    print(bench_report.tables(figures))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bench_report.document(figures), indent=1) + "\n", encoding="utf-8")
    print(f"\nFigures: {path}")
    return 0


class Bench(ExitStack):
    """Upstream, router and two Envoys, running while the block lasts."""

    router: Router

    def __enter__(self) -> Bench:
        """Start everything."""
        super().__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        self._directory = self.enter_context(stack.workspace())
        self._upstream = self._start_upstream()
        clusters = dict.fromkeys(stack.CLUSTERS, f"127.0.0.1:{self._upstream}")
        self.router = self.enter_context(stack.router(self._directory))
        clusters["extproc_router"] = f"unix:{self.router.socket}"
        self._envoy = self._start_envoy("envoy", clusters)
        self._bare = self.enter_context(
            stack.envoy(self._directory, clusters=clusters, change=without_ext_proc, name="bare")
        )
        self._bodies = {
            case.name: load.bodies(
                self._directory / str(number), model=case.model, tokens=case.tokens, count=case.count
            )
            for number, case in enumerate((BASELINE, *CASES))
        }

    def _start_envoy(self, name: str, clusters: dict[str, str]) -> Envoy:
        return self.enter_context(stack.envoy(self._directory, clusters=clusters, name=name))

    def _start_upstream(self) -> int:
        port, admin_port = free_ports(2)
        config = save(upstream_bootstrap(port, admin_port), self._directory / "upstream.yaml")
        child = self.enter_context(stack.start_envoy(config, directory=self._directory, name="upstream"))
        wait_until(lambda: envoy_is_ready(admin_port), child, seconds=stack.READY_SECONDS)
        return port

    def warm_up(self) -> None:
        """Open connections and fill allocators; what is found is thrown away."""
        for case in (BASELINE, *CASES):
            self._load(case, CONCURRENCIES[-1], WARM_UP_SECONDS)

    def round(self, number: int, rounds: int, seconds: float) -> dict[tuple[str, int], Cell]:
        """Every case once at each concurrency, the baseline first."""
        cells = {}
        for connections in CONCURRENCIES:
            for case in (BASELINE, *CASES):
                print(
                    f"\r  round {number + 1}/{rounds}: {case.name}, {connections} at a time" + " " * 20,
                    end="",
                    flush=True,
                )
                cells[case.name, connections] = self._load(case, connections, seconds)
        print("\r" + " " * 70 + "\r", end="", flush=True)
        return cells

    def ceiling(self, seconds: float) -> float:
        """What the generator can do with the upstream alone, in requests per second."""
        result = load.run(
            self._upstream,
            self._bodies[BASELINE.name],
            connections=CONCURRENCIES[-1],
            seconds=seconds,
            scratch=self._directory,
        )
        return result.per_second

    def _load(self, case: Case, connections: int, seconds: float) -> Cell:
        before = self._counts()
        envoy = self._bare if case is BASELINE else self._envoy
        result = load.run(
            envoy.port, self._bodies[case.name], connections=connections, seconds=seconds, scratch=self._directory
        )
        decided, shed = (after - count for after, count in zip(self._counts(), before, strict=True))
        return Cell(result, shed / decided if decided else 0.0)

    def _counts(self) -> tuple[float, float]:
        """Decisions and sheds so far."""
        text = get(self.router.metrics_port, "/metrics")[1].decode()
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        names = ("extproc_router_decisions_total{", "extproc_router_sheds_total{")
        return tuple(sum(float(value) for key, _, value in lines if key.startswith(name)) for name in names)  # type: ignore[return-value]  # two names, two sums


def start_once() -> float:
    """Start the router alone; returns the seconds until it was ready."""
    with stack.workspace() as directory, stack.router(directory) as started:
        return started.ready_seconds


def measure_encoder() -> tuple[EncoderFigures, ...]:
    """Time the encoder in this process, for prompts of several lengths, taking turns."""
    reader = encoder.load(stack.MODEL)
    reader.warm_up()
    taken: dict[int, list[float]] = {tokens: [] for tokens in ENCODER_TOKENS}
    for number in range(ENCODER_RUNS):
        for tokens, times in taken.items():
            text = load.prompt(tokens, seed=number)
            start = time.perf_counter()
            reader.encode(text)
            times.append(time.perf_counter() - start)
    return tuple(EncoderFigures(tokens, median(times) * 1000) for tokens, times in taken.items())


def upstream_bootstrap(port: int, admin_port: int) -> dict[str, object]:
    """An Envoy that reads each request to its end and answers 200 with a short JSON body."""
    types = "type.googleapis.com/envoy.extensions.filters"
    direct = {"status": 200, "body": {"inline_string": '{"object":"chat.completion"}'}}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "upstream",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": direct}]}
            ]
        },
        "http_filters": [
            # Without it the answer would overtake the request's body, and Envoy would close the connection.
            {
                "name": "envoy.filters.http.buffer",
                "typed_config": {"@type": f"{types}.http.buffer.v3.Buffer", "max_request_bytes": 16_777_216},
            },
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}},
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
        "static_resources": {
            "listeners": [
                {
                    "name": "upstream",
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
                    "filter_chains": [chain],
                }
            ]
        },
    }


def _combine(measured: list[dict[tuple[str, int], Cell]]) -> tuple[CaseFigures, ...]:
    figures = []
    for connections in CONCURRENCIES:
        for case in (BASELINE, *CASES):
            pairs = [(cells[case.name, connections], cells[BASELINE.name, connections].result) for cells in measured]
            results = [(cell.result, base) for cell, base in pairs]
            figures.append(
                CaseFigures(
                    name=case.name,
                    concurrency=connections,
                    requests=sum(result.requests for result, _ in results),
                    errors=sum(result.errors for result, _ in results),
                    p50_ms=median(result.p50_ms for result, _ in results),
                    p99_ms=median(result.p99_ms for result, _ in results),
                    per_second=median(result.per_second for result, _ in results),
                    added_p50_ms=median(result.p50_ms - base.p50_ms for result, base in results),
                    added_p99_ms=median(result.p99_ms - base.p99_ms for result, base in results),
                    throughput_ratio=median(result.per_second / base.per_second for result, base in results),
                    shed_share=median(cell.shed for cell, _ in pairs),
                )
            )
    return tuple(figures)
