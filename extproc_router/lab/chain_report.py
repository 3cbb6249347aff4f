"""What was measured of chains, and what is hoped for."""

from __future__ import annotations

from dataclasses import dataclass

from extproc_router.lab.chain_rig import ACCEPTED, REFUSED
from extproc_router.lab.table import Column, Side, Table
from extproc_router.lab.targets import Target

CASES = Table((
    Column("CHAIN, ONE REQUEST AT A TIME", 30),
    Column("P50 MS", 8, Side.RIGHT),
    Column("ADDED", 8, Side.RIGHT),
    Column("RATIO", 8, Side.RIGHT),
    Column("P99 MS", 8, Side.RIGHT),
    Column("REQUESTS", 9, Side.RIGHT),
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChainCase:
    """One way through a chain: medians over the rounds.

    Attributes:
        name: of the case.
        requests: answered, all rounds.
        errors: answers other than 200, broken connections and timeouts, all rounds.
        p50_ms: latency of whole answers, median of the rounds' medians.
        p99_ms: likewise.
        added_p50_ms: p50_ms less that of one model alone, in the same round.
        ratio_p50: p50_ms to that of one model alone, in the same round.
    """

    name: str
    requests: int
    errors: int
    p50_ms: float
    p99_ms: float
    added_p50_ms: float
    ratio_p50: float


@dataclass(frozen=True, slots=True)
class FirstChunk:
    """Median ms to the first chunk of a stream that is not judged.

    Attributes:
        without_ms: where Envoy has no verifier.
        beside_ms: where it has one, for other routes.
        added_ms: the median of what the same prompt took longer there.
    """

    without_ms: float
    beside_ms: float
    added_ms: float


@dataclass(frozen=True, slots=True)
class DecisionCost:
    """Median time of the router alone, from a request's body to the bytes for Envoy, in microseconds."""

    name: str
    p50_us: float


@dataclass(frozen=True, slots=True)
class ChainFigures:
    """Everything that was measured of chains; the first of `decisions` is one model alone."""

    cases: tuple[ChainCase, ...]
    streams: FirstChunk
    decisions: tuple[DecisionCost, ...]


def targets(figures: ChainFigures) -> tuple[Target, ...]:
    """Compare the figures with what the project wants."""
    cases = {case.name: case for case in figures.cases}
    return (
        Target("second model after a refused first: p50 to one model's", 3.0, cases[REFUSED].ratio_p50, "x"),
        Target("cascade, accepted: added p50 to one model's", 4.0, cases[ACCEPTED].added_p50_ms, "ms"),
        Target("first chunk of an unjudged stream: added by a verifier", 1.0, figures.streams.added_ms, "ms"),
    )


def tables(figures: ChainFigures) -> str:
    """The figures as text."""
    lines = [CASES.head(), *map(_row, figures.cases)]
    if errors := sum(case.errors for case in figures.cases):
        lines.append(f"{errors} requests failed; see the file")
    streams, (first, *others) = figures.streams, figures.decisions
    told = [f"{each.name} {each.p50_us:.0f} us ({each.p50_us - first.p50_us:+.0f})" for each in others]
    lines += ["", f"Router alone, p50: {', '.join((f'{first.name} {first.p50_us:.0f} us', *told))}."]
    lines.append(
        f"First chunk of a stream that is not judged, p50: without a verifier {streams.without_ms:.2f} ms, beside one "
        f"{streams.beside_ms:.2f} ms."
    )
    return "\n".join(lines)


def _row(case: ChainCase) -> str:
    numbers = (f"{case.p50_ms:.2f}", f"{case.added_p50_ms:+.2f}", f"{case.ratio_p50:.2f}", f"{case.p99_ms:.2f}")
    return CASES.row([case.name, *numbers, f"{case.requests:,}"])
