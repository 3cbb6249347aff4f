"""The benchmark's figures: as tables for a terminal of 100 columns, and as a JSON document."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router import __version__
from extproc_router.lab import chain_report
from extproc_router.lab import targets as target_tables
from extproc_router.lab.table import Column, Side, Table
from extproc_router.lab.targets import Target

if TYPE_CHECKING:
    from extproc_router.lab.chain_report import ChainFigures

MEGABYTE = 1_000_000

CASES = Table((
    Column("CASE", 20),
    Column("AT A TIME", 9, Side.RIGHT),
    Column("P50 MS", 8, Side.RIGHT),
    Column("ADDED", 8, Side.RIGHT),
    Column("P99 MS", 8, Side.RIGHT),
    Column("ADDED", 8, Side.RIGHT),
    Column("REQ/S", 7, Side.RIGHT),
    Column("RATIO", 6, Side.RIGHT),
    Column("SHED", 6, Side.RIGHT),
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """One case at one concurrency: medians over the rounds.

    Attributes:
        name: of the case.
        concurrency: connections, each with one request at a time.
        requests: answered, all rounds.
        errors: answers other than 200, broken connections and timeouts, all rounds.
        p50_ms: latency, median of the rounds' medians.
        p99_ms: likewise.
        per_second: throughput.
        added_p50_ms: p50_ms less the baseline's of the same round and concurrency.
        added_p99_ms: likewise.
        throughput_ratio: to the baseline's.
        shed_share: share of decisions made by the default because the encoder was overloaded or late, in [0, 1].
    """

    name: str
    concurrency: int
    requests: int
    errors: int
    p50_ms: float
    p99_ms: float
    per_second: float
    added_p50_ms: float
    added_p99_ms: float
    throughput_ratio: float
    shed_share: float


@dataclass(frozen=True, slots=True)
class EncoderFigures:
    """Median time of one encoder pass over a prompt of so many tokens."""

    tokens: int
    p50_ms: float


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """One part of a decision: its median time, and the time that is hoped for, in microseconds."""

    name: str
    p50_us: float
    limit_us: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured."""

    generator: str
    generator_ceiling_per_second: float
    cases: tuple[CaseFigures, ...]
    encoder: tuple[EncoderFigures, ...]
    policy: tuple[PolicyFigures, ...]
    chains: ChainFigures
    rss_bytes: int
    ready_seconds: float
    rounds: int
    cell_seconds: float


def targets(figures: Figures) -> tuple[Target, ...]:
    """Compare the figures with what the project wants."""
    cases = {(case.name, case.concurrency): case for case in figures.cases}
    encoder = {item.tokens: item.p50_ms for item in figures.encoder}
    named, loaded = cases["named model", 1], cases["named model", 32]
    long, short = cases["auto, 8,000 tokens", 1], cases["auto, 128 tokens", 1]
    return (
        Target("named model, one at a time: added p50", 1.5, named.added_p50_ms, "ms"),
        Target("auto, 64 tokens, one at a time: added p50", 8.0, cases["auto, 64 tokens", 1].added_p50_ms, "ms"),
        Target("named model, 32 at a time: throughput to baseline", 0.35, loaded.throughput_ratio, "x", at_least=True),
        Target("encoder: 8,000 tokens to 128", 1.5, encoder[8_000] / encoder[128], "x"),
        Target("through Envoy: p50 of 8,000 tokens to 128, one at a time", 1.5, long.p50_ms / short.p50_ms, "x"),
        Target("memory of the worker", 200.0, figures.rss_bytes / MEGABYTE, "MB"),
        Target("start to ready", 3.0, figures.ready_seconds, "s"),
        *(Target(f"{part.name}: p50", part.limit_us, part.p50_us, "us") for part in figures.policy),
        *chain_report.targets(figures.chains),
    )


def tables(figures: Figures) -> str:
    """The whole report as text."""
    lines = ["", CASES.head()]
    for number, case in enumerate(figures.cases):
        if number and case.concurrency != figures.cases[number - 1].concurrency:
            lines.append("")
        lines.append(_case_row(case))
    if errors := sum(case.errors for case in figures.cases):
        lines.append(f"{errors} requests failed; see the file")
    lines += [
        "",
        f"Generator: {figures.generator}; its ceiling here: {figures.generator_ceiling_per_second:,.0f} req/s.",
    ]
    lines.append(
        f"Of a bare Python ext_proc's throughput, 32 at a time, a named model reaches {_of_bare(figures):.2f}."
    )
    lines += ["Encoder alone, p50: " + ", ".join(f"{e.tokens:,} tokens {e.p50_ms:.1f} ms" for e in figures.encoder), ""]
    lines += [chain_report.tables(figures.chains), "", target_tables.table(targets(figures))]
    return "\n".join(lines)


def _of_bare(figures: Figures) -> float:
    """Throughput of the named model to that of an ext_proc that does nothing, at the higher concurrency."""
    loaded = {case.name: case.per_second for case in figures.cases if case.concurrency > 1}
    return loaded["named model"] / loaded["bare ext_proc"]


def document(figures: Figures) -> dict[str, Any]:
    """The whole report as JSON: figures, targets, and where they were measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "version": __version__,
        "machine": _machine(),
        **asdict(figures),
        "named_to_bare_ext_proc": _of_bare(figures),
        "targets": [{**asdict(target), "met": target.met} for target in targets(figures)],
    }


def _case_row(case: CaseFigures) -> str:
    return CASES.row(
        [
            case.name,
            str(case.concurrency),
            f"{case.p50_ms:.2f}",
            f"{case.added_p50_ms:+.2f}",
            f"{case.p99_ms:.2f}",
            f"{case.added_p99_ms:+.2f}",
            f"{case.per_second:,.0f}",
            f"{case.throughput_ratio:.2f}",
            f"{case.shed_share:.0%}",
        ]
    )


def _machine() -> dict[str, Any]:
    try:
        cpu = next(
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        )
    except (OSError, StopIteration):
        cpu = platform.processor() or "unknown"
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
