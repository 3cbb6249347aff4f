"""What a reader of the figures must be told before they act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.evaluation.strategies import BASELINES, ORACLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.evaluation.findings import Interval, Routing
    from extproc_router.evaluation.many import ManyRouting

FEW_ROWS = 200
_ALONE = ("always-weak", "always-strong", "best-single")
_NOISE = 1e-12


def cautions(found: Routing) -> list[str]:
    """Return sentences, the gravest first; none where the figures may be taken as they are."""
    return [*_models(found), *_strategies(found), *_sample(found)]


def many_cautions(found: ManyRouting) -> list[str]:
    """Return the same for many models."""
    best = found.models[0].name
    told = []
    if found.headroom <= _NOISE or _reaches_zero(found.headroom_interval):
        told.append(
            "routing cannot pay in quality: the models are not complementary. Choosing the best model for every row, "
            f"with hindsight, gains {found.headroom:.4f}{_of(found.headroom_interval)} over {best} alone"
        )
    told += [
        f"{name} cannot be told from {best} alone: quality differs by "
        f"{mixed.over_best:+.4f}{_of(mixed.over_best_interval)}"
        for name, mixed in found.strategies.items()
        if name not in (*BASELINES, ORACLE) and _holds_zero(mixed.over_best_interval)
    ]
    return told + list(_sample(found))


def _models(found: Routing) -> Iterator[str]:
    weak, strong = found.weak, found.strong
    no_headroom = found.headroom <= _NOISE or _reaches_zero(found.headroom_interval)
    no_gap = found.gap <= _NOISE or _holds_zero(found.gap_interval)
    if no_headroom:
        best = strong if found.gap > 0 else weak
        saves = "" if no_gap else f"; it can only save cost, and at best gives the quality of {strong.name}"
        yield (
            "routing cannot pay in quality: the models are not complementary. Choosing the better model for every row, "
            f"with hindsight, gains {found.headroom:.4f}{_of(found.headroom_interval)} over {best.name} alone{saves}"
        )
    if no_gap:
        yield (
            f"the gap between {strong.name} and {weak.name} is {found.gap:.4f}{_of(found.gap_interval)}: it may be "
            "zero or negative, so APGR and CPT, which divide by it, say little or nothing"
        )
    if no_gap and no_headroom:
        yield f"routing cannot pay at all on these rows: send all to the cheaper of {weak.name} and {strong.name}"


def _strategies(found: Routing) -> Iterator[str]:
    for name, ranked in found.strategies.items():
        if name in (*BASELINES, ORACLE):
            continue
        for other, comparison in ranked.against.items():
            difference = f"{comparison.difference:+.4f}{_of(comparison.interval)}"
            if not comparison.is_told_apart and comparison.interval:
                yield f"{name} cannot be told from the baseline {other}: APGR differs by {difference}"
            elif comparison.difference < 0:
                yield f"{name} is worse than the baseline {other}: APGR differs by {difference}"
    for name, fixed in found.fixed.items():
        if name not in _ALONE and _holds_zero(fixed.over_random_interval):
            yield (
                f"{name} cannot be told from a random choice with the same share of strong calls: quality differs by "
                f"{fixed.over_random:+.4f}{_of(fixed.over_random_interval)}"
            )


def _sample(found: Routing | ManyRouting) -> Iterator[str]:
    if found.n < FEW_ROWS:
        yield f"only {found.n} rows: percentile intervals are too narrow on so few"
    if found.rounds < found.rounds_asked:
        yield f"interrupted: the intervals rest on {found.rounds} of {found.rounds_asked} bootstrap rounds"


def _holds_zero(interval: Interval | None) -> bool:
    return interval is not None and interval[0] <= 0 <= interval[1]


def _reaches_zero(interval: Interval | None) -> bool:
    """Whether a figure that is never negative may be zero."""
    return interval is not None and interval[0] <= _NOISE


def _of(interval: Interval | None) -> str:
    return f" ({interval[0]:.4f} to {interval[1]:.4f})" if interval else ""
