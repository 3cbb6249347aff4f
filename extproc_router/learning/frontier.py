"""The cost-quality frontier and what is read off it. Small pure functions; everything here is exact.

A frontier is walked by events: at each one, one row moves from a cheaper model to a dearer one. Events carry a key;
those with larger keys come first, those with equal keys come together, which is the expected value under a random
tie-break: a straight line between the two cut points.

Curves come in batches: `x` and `y` are float64 [rounds, points], x does not decrease along a row. For a pair of models
x is the share of calls to the strong model, from 0 to 1, and y is the quality gained over always-weak, from 0 to
strong - weak, called the gap below.

* PGR(x) = y(x) / gap, the performance gap recovered; APGR = its mean over x in [0, 1]; CPT(p) = the least x with
  PGR(x) >= p (Ong et al. 2024, RouteLLM, arXiv 2406.18665, section 3.2). They average PGR over ten evenly spaced shares
  and read CPT off the measured points; here both are taken from the whole piecewise-linear curve.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from extproc_router.learning.base import Flags, Floats, Index

_ROUNDING = 1e-12  # of the largest value on a curve: sums of a million floats err by less


class Events(Struct, frozen=True):
    """What happens along a frontier, in order.

    Attributes:
        rows: intp [events], the row that moves.
        x: float64 [events], what the move adds to the cost axis (1 for a share of calls).
        y: float64 [events], what it adds to the quality.
        ends: intp [groups], the position of the last event of each group of equal keys.
    """

    rows: Index
    x: Floats
    y: Floats
    ends: Index


def events(key: Floats, x: Floats, y: Floats, rows: Index | None = None) -> Events:
    """Put events in order.

    Args:
        key: float64 [events], larger moves first; no NaN.
        x: float64 [events].
        y: float64 [events].
        rows: intp [events]; by default event i is row i.
    """
    order = np.argsort(-key, kind="stable")
    ordered = key[order]
    is_last = np.append(ordered[1:] != ordered[:-1], np.ones(min(len(key), 1), dtype=np.bool_))
    ends = np.flatnonzero(is_last)
    return Events(order if rows is None else rows[order], x[order], y[order], ends)


def walk(walked: Events, rows: int) -> tuple[Floats, Floats]:
    """Return the curve of the data as they are: (x, y), each float64 [groups + 1] from 0, means over `rows` rows."""
    x = np.concatenate([[0.0], np.cumsum(walked.x)[walked.ends]]) / rows
    y = np.concatenate([[0.0], np.cumsum(walked.y)[walked.ends]]) / rows
    return x, y


def area(x: Floats, y: Floats) -> Floats:
    """Area under each piecewise-linear curve, float64 [rounds]."""
    total: Floats = np.einsum("rp,rp->r", np.diff(x, axis=1), y[:, 1:] + y[:, :-1]) / 2
    return total


def apgr(x: Floats, y: Floats) -> Floats:
    """Average performance gap recovered, float64 [rounds]; NaN where the gap is not positive."""
    gap = y[:, -1]
    recovered: Floats = np.divide(area(x, y), gap, out=np.full(len(x), np.nan), where=_counts(y))
    return recovered


def apgr_of(score: Floats, gain: Floats) -> float:
    """APGR of sending rows to the strong model in the order of a score.

    Args:
        score: float64 [n], the higher the sooner.
        gain: float64 [n], what the strong model adds on each row.

    Returns:
        NaN where the strong model gains nothing over all.
    """
    x, y = walk(events(score, np.ones(len(score)), gain), len(score))
    return float(apgr(x[None], y[None])[0])


def first_crossing(x: Floats, y: Floats, level: Floats) -> Floats:
    """Least x at which the piecewise-linear curve reaches `level`.

    Args:
        x: float64 [rounds, points].
        y: float64 [rounds, points].
        level: float64 [rounds].

    Returns:
        float64 [rounds]; NaN where it is never reached.
    """
    # A sum that misses a level by its rounding has reached it; the next cut point may be far away.
    reached = y >= (level - _ROUNDING * _scale(y))[:, None]
    at = reached.argmax(axis=1)
    number = np.arange(len(x))
    before = np.maximum(at - 1, 0)
    x0, x1, y0, y1 = x[number, before], x[number, at], y[number, before], y[number, at]
    rise = y1 - y0
    part = np.clip(np.divide(level - y0, rise, out=np.ones_like(rise), where=rise > 0), 0.0, 1.0)
    crossing: Floats = np.where(reached.any(axis=1), np.where(at == 0, x[:, 0], x0 + part * (x1 - x0)), np.nan)
    return crossing


def cpt(x: Floats, y: Floats, percent: float) -> Floats:
    """Least share of strong calls in percent that recovers `percent` of the gap; NaN where there is none to recover."""
    gap = y[:, -1]
    level = np.where(_counts(y), gap * (percent / 100), np.inf)
    return 100 * first_crossing(x, y, level)


def _scale(y: Floats) -> Floats:
    largest: Floats = np.maximum(1.0, np.abs(y).max(axis=1))
    return largest


def _counts(y: Floats) -> Flags:
    """Whether the gap of each curve is one, and no rounding, bool [rounds]."""
    counts: Flags = y[:, -1] > _ROUNDING * _scale(y)
    return counts


def thin(x: Floats, y: Floats, points: int) -> list[tuple[float, float]]:
    """Return the curve as (x, y) pairs; of more than `points` every so-manyth, the ends always."""
    index = np.arange(len(x)) if len(x) <= points else np.unique(np.linspace(0, len(x) - 1, points).round().astype(int))
    return list(zip(x[index].tolist(), y[index].tolist(), strict=True))
