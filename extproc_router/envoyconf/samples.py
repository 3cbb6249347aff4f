"""Requests that stand for all: each kind that Envoy's routes must tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.dialects import DIALECTS
from extproc_router.envoyconf.matching import Sample
from extproc_router.policy import privacy
from extproc_router.router import CHAIN_HEADER, CLUSTER_HEADER, DECISION_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What the router reads.
API_PATHS = tuple(path for dialect in DIALECTS for path in dialect.paths)
_MISSPELT = "a-misspelt-tier"


def decided(path: str, clusters: Sequence[str], tiers: Sequence[str]) -> Iterator[Sample]:
    """Yield requests after the router's answer: to each cluster, and of each tier."""
    chosen = [(cluster, None) for cluster in clusters] + [(clusters[0], tier) for tier in tiers]
    for cluster, tier in chosen:
        yield _sample(path, tier, **{CLUSTER_HEADER: cluster, DECISION_HEADER: "an-id"})


def chained(path: str, cluster: str, kind: str) -> Sample:
    """Return a request for which the router named several models: a chain of this kind, which begins at a cluster."""
    return _sample(path, None, **{CLUSTER_HEADER: cluster, DECISION_HEADER: "an-id", CHAIN_HEADER: kind})


def passed(path: str) -> Sample:
    """Return a request that the router let pass: it had nothing to choose."""
    return _sample(path, None, **{CLUSTER_HEADER: None, DECISION_HEADER: "an-id"})


def unmarked(path: str, tiers: Sequence[str]) -> Iterator[Sample]:
    """Yield requests that the router has not decided and that any model may see."""
    for tier in (None, *tiers[:1]):
        yield _undecided(path, tier)


def private(path: str, tiers: Sequence[str]) -> Iterator[Sample]:
    """Yield requests that the router has not decided and that not every model may see; none where tiers are one.

    A misspelt tier may be any, and repeated headers arrive joined with a comma: the highest counts.
    """
    higher = tiers[1:]
    joined = [f"{tiers[0]},{tier}" for tier in higher[:1]]
    for tier in (*higher, *joined, *([_MISSPELT] if higher else [])):
        yield _undecided(path, tier)


def undecided(path: str, tiers: Sequence[str]) -> Iterator[Sample]:
    """Yield both: what the router has still to read."""
    yield from unmarked(path, tiers)
    yield from private(path, tiers)


def _undecided(path: str, tier: str | None) -> Sample:
    return _sample(path, tier, **{CLUSTER_HEADER: None, DECISION_HEADER: None})


def _sample(path: str, tier: str | None, **headers: str | None) -> Sample:
    known = {":method": "POST", ":path": path, privacy.HEADER: tier, CHAIN_HEADER: None}
    return Sample(path, {**known, **headers})
