"""Has the traffic moved since the frontier was measured?

Each signal is tested on its own: labels by the chi-square test of homogeneity (cells with an expected count below 5
are pooled, but labels that the reference lacks stay apart where there are more than chance explains), numbers by the
two-sample Kolmogorov-Smirnov test on their bins, which errs on the quiet side. Holm's method (1979) holds the chance of
any false alarm, over all signals together and whatever their dependence, below `alpha`. On much traffic the smallest
change is significant, so an alarm also needs a size: the population stability index, whose customary reading is below
0.1 stable, above 0.25 large.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from extproc_router.errors import StartupError
from extproc_router.evaluation import divergence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.evaluation.histograms import Histograms

FEWEST_ROWS = 50
_SHOWN_LABELS = 3
# What the router made of the requests; everything else says what they are.
_TRAFFIC_EXEMPT = ("model", "reason")


class Moved(Struct, frozen=True):
    """A label whose share changed, and by how much."""

    label: str
    before: float
    after: float


class Shift(Struct, frozen=True):
    """How one signal's distribution changed.

    Attributes:
        kind: `labels` or `numbers`.
        statistic: chi-square, or the Kolmogorov-Smirnov D.
        p_value: of the test alone.
        p_adjusted: Holm's.
        psi: population stability index, on labels or on tenths of the reference.
        effect: Cramer's V for labels, D for numbers; both in [0, 1].
        jensen_shannon: divergence in bits, in [0, 1].
        alarm: significant and of a size.
        moved: the labels that changed most.
    """

    signal: str
    kind: str
    n_before: int
    n_after: int
    statistic: float
    p_value: float
    p_adjusted: float
    psi: float
    effect: float
    jensen_shannon: float
    alarm: bool
    moved: tuple[Moved, ...]


class Drift(Struct, frozen=True):
    """The comparison of two stretches of traffic.

    Attributes:
        alpha: chance of one or more false alarms, at most.
        least_psi: smaller changes are no alarm.
        shifts: by p-value.
        remeasure: whether requests themselves changed, so that the frontier must be measured again.
        notes: what else to know.
        millis: latencies, not tested: name -> counts before and after, in the bins of `histograms`.
    """

    before: int
    after: int
    alpha: float
    least_psi: float
    shifts: tuple[Shift, ...]
    remeasure: bool
    notes: tuple[str, ...]
    millis: Mapping[str, tuple[list[int], list[int]]]


def compare(before: Histograms, after: Histograms, *, alpha: float = 0.01, least_psi: float = 0.1) -> Drift:
    """Compare two stretches of traffic.

    Args:
        before: the reference, e.g. the rows that the frontier was measured on.
        after: what comes now.
        alpha: accepted chance of any false alarm, in (0, 1).
        least_psi: smallest population stability index that matters.

    Raises:
        StartupError: one side has fewer than 50 rows, they share no signal, or scipy is not installed.
    """
    for name, side in (("reference", before), ("current", after)):
        if side.rows < FEWEST_ROWS:
            raise StartupError(f"the {name} has {side.rows} rows; a comparison needs {FEWEST_ROWS} or more")
    found = [
        *(
            _labels(signal, before.labels[signal], after.labels[signal])
            for signal in _shared(before.labels, after.labels)
        ),
        *(_numbers(signal, before.units[signal], after.units[signal]) for signal in _shared(before.units, after.units)),
        *(
            _numbers(signal, before.lengths[signal], after.lengths[signal])
            for signal in _shared(before.lengths, after.lengths)
        ),
    ]
    if not found:
        raise StartupError("the two share no signal: compare logs with logs, and prompts with prompts")
    adjusted = divergence.holm([shift.p_value for shift in found])
    shifts = sorted(
        (
            replace(shift, p_adjusted=p, alarm=p <= alpha and shift.psi >= least_psi)
            for shift, p in zip(found, adjusted, strict=True)
        ),
        key=lambda shift: (not shift.alarm, shift.p_value, -shift.psi),
    )
    return Drift(
        before=before.rows,
        after=after.rows,
        alpha=alpha,
        least_psi=least_psi,
        shifts=tuple(shifts),
        remeasure=any(shift.alarm and shift.signal not in _TRAFFIC_EXEMPT for shift in shifts),
        notes=tuple(_notes(before, after)),
        millis={name: (before.millis[name], after.millis[name]) for name in _shared(before.millis, after.millis)},
    )


def _labels(signal: str, before: Mapping[str, int], after: Mapping[str, int]) -> Shift:
    names = sorted({*before, *after})
    p = np.array([before.get(name, 0) for name in names], dtype=np.float64)
    q = np.array([after.get(name, 0) for name in names], dtype=np.float64)
    cells = divergence.newcomers(p, q)
    statistic, p_value, effect = divergence.chi_square(*cells)
    shares = zip(names, (p / p.sum()).tolist(), (q / q.sum()).tolist(), strict=True)
    moved = sorted((Moved(*share) for share in shares), key=lambda change: -abs(change.after - change.before))
    return Shift(
        signal=signal,
        kind="labels",
        n_before=int(p.sum()),
        n_after=int(q.sum()),
        statistic=statistic,
        p_value=p_value,
        p_adjusted=p_value,
        psi=divergence.psi(*divergence.pooled(np.stack(cells))),
        effect=effect,
        jensen_shannon=divergence.jensen_shannon(p, q),
        alarm=False,
        moved=tuple(change for change in moved[:_SHOWN_LABELS] if change.after != change.before),
    )


def _numbers(signal: str, before: Sequence[int], after: Sequence[int]) -> Shift:
    p, q = np.array(before, dtype=np.float64), np.array(after, dtype=np.float64)
    distance, p_value = divergence.kolmogorov_smirnov(p, q)
    return Shift(
        signal=signal,
        kind="numbers",
        n_before=int(p.sum()),
        n_after=int(q.sum()),
        statistic=distance,
        p_value=p_value,
        p_adjusted=p_value,
        psi=divergence.psi(*divergence.tenths(p, q)),
        effect=distance,
        jensen_shannon=divergence.jensen_shannon(p, q),
        alarm=False,
        moved=(),
    )


def _shared(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return sorted(set(before) & set(after))


def _notes(before: Histograms, after: Histograms) -> list[str]:
    notes = [
        f"the {name} version changed ({', '.join(sorted(was))} -> {', '.join(sorted(now))}): what it decides may have "
        "moved without the traffic"
        for name in sorted({*before.versions, *after.versions})
        if (was := set(before.versions.get(name, ()))) != (now := set(after.versions.get(name, ())))
    ]
    parts = ("labels", "units", "lengths")
    for name, side, other in (("reference", before, after), ("current", after, before)):
        only = sorted(signal for part in parts for signal in set(getattr(side, part)) - set(getattr(other, part)))
        if only:
            notes.append(f"only in the {name}, not compared: {', '.join(only)}")
        if side.dropped:
            notes.append(f"the {name}'s log says that it lost {side.dropped:,} lines")
    return notes
