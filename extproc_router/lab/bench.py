"""The benchmark: what the router adds, as ratios to the same Envoy without it, in one run.

Upstream is a third Envoy that answers by itself, so that no Python but the router's is measured. Baseline and cases
take turns, so that noise hits both; each round's figures are compared with that round's baseline, and the medians over
the rounds are reported. Chains of models have a rig of their own (chain_rig.py), and one model as their baseline.
"""

from __future__ import annotations

import json
import time
from statistics import median
from typing import TYPE_CHECKING

from extproc_router import encoder
from extproc_router.lab import bench_report, chain_bench, chain_rig, load, policy_bench, stack
from extproc_router.lab.bench_report import CaseFigures, EncoderFigures, Figures
from extproc_router.lab.chain_rig import ChainRig
from extproc_router.lab.probes import resident_bytes
from extproc_router.lab.rig import ALL, BASELINE, CONCURRENCIES, Cell, Rig

if TYPE_CHECKING:
    from pathlib import Path

CELL_SECONDS = 2.0
STARTS = 3
ENCODER_TOKENS = (16, 32, 64, 128, 512, 2_000, 8_000)
ENCODER_RUNS = 25


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
    cells_per_round = len(ALL) * len(CONCURRENCIES) + len(chain_rig.CASES)
    cell_seconds = min(CELL_SECONDS, max(1.0, seconds / cells_per_round))
    rounds = max(1, round(seconds / (cells_per_round * cell_seconds)))
    print(
        f"{rounds} rounds of {cells_per_round} cases, {cell_seconds:g} s each; generator: {load.generator_name()}",
        flush=True,
    )
    encoded, policy = measure_encoder(), policy_bench.measure()
    ready = [start_once() for _ in range(STARTS - 1)]
    with ChainRig() as chains:
        walked = chain_bench.measure(chains, rounds=rounds, seconds=cell_seconds)
    with Rig() as rig:
        ready.append(rig.router.ready_seconds)
        rig.warm_up()
        measured = [rig.round(number, rounds, cell_seconds) for number in range(rounds)]
        figures = Figures(
            generator=load.generator_name(),
            generator_ceiling_per_second=rig.ceiling(cell_seconds),
            cases=_combine(measured),
            encoder=encoded,
            policy=policy,
            chains=walked,
            rss_bytes=resident_bytes(rig.router.child.pid),
            ready_seconds=median(ready),
            rounds=rounds,
            cell_seconds=cell_seconds,
        )
    print(bench_report.tables(figures))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(bench_report.document(figures), indent=1) + "\n", encoding="utf-8")
    print(f"\nFigures: {path}")
    return 0


def start_once() -> float:
    """Start the router alone; returns the seconds until it was ready."""
    with stack.workspace() as directory, stack.router(directory) as started:
        return started.ready_seconds


def measure_encoder() -> tuple[EncoderFigures, ...]:
    """Time the encoder in this process, for prompts of several lengths, taking turns."""
    # Nothing is remembered, lest the memory be measured.
    reader = encoder.load(stack.MODEL, remember=0)
    reader.warm_up()
    taken: dict[int, list[float]] = {tokens: [] for tokens in ENCODER_TOKENS}
    for number in range(ENCODER_RUNS):
        for tokens, times in taken.items():
            text = load.prompt(tokens, seed=number)
            start = time.perf_counter()
            reader.encode(text)
            times.append(time.perf_counter() - start)
    return tuple(EncoderFigures(tokens, median(times) * 1000) for tokens, times in taken.items())


def _combine(measured: list[dict[tuple[str, int], Cell]]) -> tuple[CaseFigures, ...]:
    figures = []
    for connections in CONCURRENCIES:
        for case in ALL:
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
