"""Where an early tier may answer: thresholds chosen for a stated agreement with the last tier.

Agreement is counted among the rows that a tier answers itself: the others agree by construction, and would hide that
those it took were wrong. Throughout, `confidence` and `p` are float64 [n] in [0, 1], `agrees` and `raised` bool [n].
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from extproc_router.learning.base import Flags, Floats

_DIGITS = 6


class Terms(Struct, frozen=True):
    """What an exit must keep.

    Attributes:
        agreement: share of a tier's own answers that the last tier would have given too, in (0, 1].
        least: answers on which such a share is believed; fewer, and the tier never answers.
    """

    agreement: float = 0.99
    least: int = 50


def above(confidence: Floats, agrees: Flags, terms: Terms, *, most: float = math.inf) -> float | None:
    """The lowest confidence from which on the answers agree as the terms say.

    Args:
        confidence: of each row's answer at this tier.
        agrees: whether the last tier answers the same.
        terms: see there.
        most: answers that may differ, however many agree.

    Returns:
        The threshold, rounded up to six digits (so a row on it may be left to the next tier, never the reverse); None
        where no threshold keeps the terms.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    rows = np.arange(1, len(ordered) + 1)
    right = np.cumsum(agrees[order])
    is_last = np.append(ordered[1:] != ordered[:-1], np.ones(min(len(ordered), 1), dtype=np.bool_))
    kept = np.flatnonzero(is_last & (right >= terms.agreement * rows) & (rows >= terms.least) & (rows - right <= most))
    return _up(ordered[kept[-1]]) if len(kept) else None


def of_flag(p: Floats, raised: Flags, threshold: float, terms: Terms) -> tuple[float | None, float | None]:
    """The exits of a flag: (answers where p >= the first, answers where p <= the second); None where there is none.

    Flags are rare: 99 % of the quiet answers may be right and yet hold every attack. So each side must also take no
    more than 1 - agreement of the rows that the last tier answers the other way.

    Args:
        p: at this tier.
        raised: whether the last tier raises the flag.
        threshold: from which on an answer of any tier raises it.
        terms: see there.
    """
    high = _side(p, raised, threshold, terms)
    low = _side(1.0 - p, ~raised, 1.0 - threshold, terms)
    # What is not above the threshold is not raised, so a quiet exit stays below it.
    return high, None if low is None else min(1.0 - low, float(np.nextafter(threshold, 0.0)))


def raise_at(p: Floats, positive: Flags, fpr: float) -> float:
    """The threshold with the highest recall at a false-positive rate: p >= threshold raises the flag.

    Args:
        p: calibrated.
        positive: the truth; at least one row is negative.
        fpr: share of the negatives that may be flagged, in [0, 1).

    Returns:
        A number in (0, 1], in the middle between the highest negative that must not be flagged and what lies above it.
    """
    negatives = np.sort(p[~positive])[::-1]
    barred = float(negatives[int(fpr * len(negatives))])
    higher = p[p > barred]
    return _up((barred + (float(higher.min()) if len(higher) else 1.0)) / 2)


def _side(p: Floats, same: Flags, least_p: float, terms: Terms) -> float | None:
    """The lowest p >= least_p from which on `same` holds as the terms say, and for few of those where it does not."""
    eligible = p >= least_p
    return above(p[eligible], same[eligible], terms, most=(1 - terms.agreement) * float((~same).sum()))


def _up(value: float) -> float:
    return min(1.0, float(np.ceil(float(value) * 10**_DIGITS) / 10**_DIGITS))
