"""What an evaluation of routing found: frozen figures, no arithmetic. Intervals are (low, high), 95 %."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

Interval = tuple[float, float]


class Model(Struct, frozen=True):
    """One model on its own; cost is the mean per request, None where unknown."""

    name: str
    quality: float
    interval: Interval | None
    cost: float | None


class Point(Struct, frozen=True):
    """One way to operate: share of calls to the strong model in [0, 1], quality, mean cost per request."""

    share: float
    quality: float
    cost: float | None


class Comparison(Struct, frozen=True):
    """A difference in APGR to a baseline, and its paired interval."""

    difference: float
    interval: Interval | None

    @property
    def is_told_apart(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


class Ranked(Struct, frozen=True):
    """A strategy that ranks rows, and so has a frontier.

    Attributes:
        apgr: average performance gap recovered; 0.5 is random, None where the gap is not positive.
        cpt50: least share of strong calls, in percent, that recovers half of the gap.
        cpt80: the same for 80 %.
        oracle_gap: APGR of the oracle less this one's.
        auc: mean quality over the share of strong calls.
        regret: quality of the best model for each row, less the quality at `peak`.
        peak: the frontier's highest point.
        points: `pgr50`, `pgr80`, `pgr95`: where so much of the gap is recovered first.
        frontier: (share, quality), at most `routing.POINTS` of the cut points.
        frontier_costs: mean cost per request at each of these; None where costs are unknown.
        band: (share, low, high), pointwise.
        against: baseline -> how this one differs.
    """

    apgr: float | None
    apgr_interval: Interval | None
    cpt50: float | None
    cpt50_interval: Interval | None
    cpt80: float | None
    cpt80_interval: Interval | None
    oracle_gap: float | None
    auc: float
    auc_interval: Interval | None
    regret: float
    peak: Point
    points: Mapping[str, Point]
    frontier: list[tuple[float, float]]
    frontier_costs: list[float] | None
    band: list[tuple[float, float, float]]
    against: Mapping[str, Comparison]


class Fixed(Struct, frozen=True):
    """A policy without a threshold: one point.

    Attributes:
        regret: quality of the best model for each row, less this quality.
        over_random: quality above a random choice with the same share of strong calls.
    """

    point: Point
    interval: Interval | None
    regret: float
    over_random: float
    over_random_interval: Interval | None


class Group(Struct, frozen=True):
    """One group of rows: mean quality of each model, and of the better one of each row."""

    name: str
    n: int
    weak: float
    strong: float
    oracle: float


class CostHistogram(Struct, frozen=True):
    """Requests per bin of cost, for both models; `edges` is one longer than the counts."""

    edges: list[float]
    weak: list[int]
    strong: list[int]


class Routing(Struct, frozen=True):
    """The evaluation of a pair of models.

    Attributes:
        n: rows on which both were tried.
        gap: quality of strong less weak.
        oracle_quality: mean quality of the better model of each row.
        headroom: `oracle_quality` less the better single model.
        groups: largest first, at most `routing.GROUPS`; empty where rows have none.
        costs: None where costs are unknown.
        rounds: of the bootstrap; fewer than asked where it was interrupted.
        exact_rounds: whether rounds drew rows (else packets of rows, see `resample`).
    """

    n: int
    weak: Model
    strong: Model
    gap: float
    gap_interval: Interval | None
    oracle_quality: float
    headroom: float
    headroom_interval: Interval | None
    strategies: Mapping[str, Ranked]
    fixed: Mapping[str, Fixed]
    groups: list[Group]
    costs: CostHistogram | None
    rounds: int
    rounds_asked: int
    seed: int
    exact_rounds: bool
