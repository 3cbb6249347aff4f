"""What the benchmark runs on: an upstream that costs nothing, the router, and Envoy with and without it."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from extproc_router.lab import load, stack, upstream
from extproc_router.lab.envoy_file import without_ext_proc
from extproc_router.lab.probes import get
from extproc_router.lab.processes import running, wait_until

if TYPE_CHECKING:
    from extproc_router.lab.load import Result
    from extproc_router.lab.stack import Router

CONCURRENCIES = (1, 32)
WARM_UP_SECONDS = 1.0


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
# What gRPC in Python costs by itself (bare_processor.py): the rest is ours.
BARE = Case("bare ext_proc", "small-8b", 64, 256)
ALL = (BASELINE, *CASES, BARE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One round of one case; `shed` is the share of its decisions for which the encoder had no time, in [0, 1]."""

    result: Result
    shed: float = 0.0


class Running(ExitStack, ABC):
    """What runs while the block lasts; all of it ends where a part does not start."""

    def __enter__(self) -> Self:
        """Start everything."""
        super().__enter__()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    @abstractmethod
    def _start(self) -> None:
        """Enter the parts."""


class Rig(Running):
    """Upstream, router, yardstick and three Envoys, running while the block lasts."""

    router: Router

    def _start(self) -> None:
        self._directory = self.enter_context(stack.workspace())
        (self._upstream,) = self.enter_context(upstream.running(self._directory))
        clusters = dict.fromkeys(stack.CLUSTERS, f"127.0.0.1:{self._upstream}")
        # Prompts come again: without a memory the encoder reads every one.
        self.router = self.enter_context(stack.router(self._directory, arguments=["--remember=0"]))
        clusters["extproc_router"] = f"unix:{self.router.socket}"
        self._envoy = self.enter_context(stack.envoy(self._directory, clusters=clusters))
        self._alone = self.enter_context(
            stack.envoy(self._directory, clusters=clusters, change=without_ext_proc, name="alone")
        )
        clusters = {**clusters, "extproc_router": self._start_bare()}
        self._bare = self.enter_context(stack.envoy(self._directory, clusters=clusters, name="bare"))
        self._bodies = {
            case.name: load.bodies(
                self._directory / str(number), model=case.model, tokens=case.tokens, count=case.count
            )
            for number, case in enumerate(ALL)
        }

    def _start_bare(self) -> str:
        socket = self._directory / "bare.sock"
        argv = [sys.executable, "-m", "extproc_router.lab.bare_processor", f"unix:{socket}"]
        child = self.enter_context(running(argv, name="bare_processor", directory=self._directory))
        wait_until(socket.exists, child, seconds=stack.READY_SECONDS)
        return f"unix:{socket}"

    def warm_up(self) -> None:
        """Open connections and fill allocators; what is found is thrown away."""
        for case in ALL:
            self._load(case, CONCURRENCIES[-1], WARM_UP_SECONDS)

    def round(self, number: int, rounds: int, seconds: float) -> dict[tuple[str, int], Cell]:
        """Every case once at each concurrency, the baseline first."""
        cells = {}
        for connections in CONCURRENCIES:
            for case in ALL:
                progress(f"round {number + 1} of {rounds}: {case.name}, {connections} at a time")
                cells[case.name, connections] = self._load(case, connections, seconds)
        progress("")
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
        envoy = {BASELINE.name: self._alone, BARE.name: self._bare}.get(case.name, self._envoy)
        result = load.run(
            envoy.port, self._bodies[case.name], connections=connections, seconds=seconds, scratch=self._directory
        )
        decided, shed = (after - count for after, count in zip(self._counts(), before, strict=True))
        return Cell(result, shed / decided if decided else 0.0)

    def _counts(self) -> tuple[float, float]:
        """Decisions and sheds so far."""
        text = get(self.router.metrics_port, "/metrics")[1].decode()
        samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]

        def total(name: str) -> float:
            return sum(float(value) for key, _, value in samples if key.startswith(f"{name}{{"))

        return total("extproc_router_decisions_total"), total("extproc_router_sheds_total")


def progress(text: str) -> None:
    """Say something on a line that is written over; only where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r{text:<70}\r", end="", file=sys.stderr, flush=True)
