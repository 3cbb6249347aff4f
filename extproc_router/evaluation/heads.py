"""How right a head is, and how right it knows itself to be."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.evaluation import resample
from extproc_router.evaluation.findings import Interval
from extproc_router.evaluation.head_rows import NO, YES
from extproc_router.learning import frontier

if TYPE_CHECKING:
    from extproc_router.evaluation.arrays import Flags, Floats, Index
    from extproc_router.evaluation.head_rows import Answers
    from extproc_router.evaluation.resample import Curve, Units

BINS = 15
ALL = "all"
_LENGTHS = (64, 256, 1024, 4096)


class Figure(Struct, frozen=True):
    """A value in [0, 1] and its 95 % interval; None where it cannot be said."""

    value: float | None
    interval: Interval | None


class Slice(Struct, frozen=True):
    """A part of the rows; the accuracy's interval is Wilson's (1927)."""

    n: int
    accuracy: float
    interval: Interval
    macro_f1: float
    ece: float


class Bin(Struct, frozen=True):
    """One bar of a reliability diagram."""

    n: int
    confidence: float
    accuracy: float


class Flagged(Struct, frozen=True):
    """What a flag does at the threshold it ships with; shares are None where there is no such row.

    Attributes:
        positives: rows that are to be flagged.
        recall: share of them that is.
        negatives: the others.
        false_positives: share of those that is flagged too.
    """

    positives: int
    recall: float | None
    negatives: int
    false_positives: float | None


class HeadFindings(Struct, frozen=True):
    """The evaluation of a head.

    Attributes:
        majority: accuracy of always saying the commonest label.
        macro_f1: over the labels that occur, 2 TP / (2 TP + FP + FN).
        auc: area under the ROC curve; of `1` against `0`, else the mean over labels of each against the rest.
        recall: of the same, at the largest threshold set whose false-positive rate is at most `fpr`.
        ece: expected calibration error, 15 equal bins of the top confidence (Guo et al. 2017).
        confusion: counts [true][predicted], in the order of `labels`.
        reliability: the bins that hold rows.
        flagged: by source, and over all rows under `ALL`; empty where no threshold is known.
    """

    n: int
    labels: tuple[str, ...]
    majority: float
    accuracy: Figure
    macro_f1: Figure
    auc: Figure
    recall: Figure
    fpr: float
    ece: Figure
    confusion: list[list[int]]
    reliability: list[Bin]
    sources: Mapping[str, Slice]
    lengths: Mapping[str, Slice]
    flagged: Mapping[str, Flagged]
    rounds: int
    rounds_asked: int
    seed: int
    interrupted: bool


def evaluate(answers: Answers, *, fpr: float = 0.01, bootstrap: int = 1000, seed: int = 0) -> HeadFindings:
    """Measure a head's answers.

    Args:
        answers: at least one row.
        fpr: false-positive rate at which recall is given, in (0, 1).
        bootstrap: rounds; Ctrl-C ends them early, and the result says so.
        seed: of the rounds.
    """
    units = resample.units(len(answers), seed)
    tallies = _Tallies(answers, units, fpr)
    values = tallies.figures(tallies.sums.sum(axis=0)[None], tallies.exact())[:, 0]
    done = []
    try:
        # Not a comprehension: what is done must outlive Ctrl-C.
        for weights in resample.rounds(units, bootstrap, seed):
            done.append(tallies.figures(weights @ tallies.sums, tallies.walk(weights)))  # noqa: PERF401 - see above
    except KeyboardInterrupt:
        pass  # `rounds` says how far it came
    rounds = np.concatenate(done, axis=1) if done else np.empty((5, 0))
    accuracy, macro_f1, ece, auc, recall = (
        Figure(float(value) if np.isfinite(value) else None, resample.interval(drawn))
        for value, drawn in zip(values, rounds, strict=True)
    )
    counts = confusion(answers.truth, answers.probs)
    by_length = _slices(answers, np.array([_bucket(length) for length in answers.lengths]))
    return HeadFindings(
        n=len(answers),
        labels=answers.labels,
        majority=float(counts.sum(axis=1).max() / len(answers)),
        accuracy=accuracy,
        macro_f1=macro_f1,
        auc=auc,
        recall=recall,
        fpr=fpr,
        ece=ece,
        confusion=counts.tolist(),
        reliability=reliability(answers.truth, answers.probs),
        sources=_slices(answers, np.array(answers.sources)),
        lengths={name: part for name in _bucket_names() if (part := by_length.get(name))},
        flagged=_flagged(answers),
        rounds=rounds.shape[1],
        rounds_asked=bootstrap,
        seed=seed,
        interrupted=answers.interrupted,
    )


def confusion(truth: Index, probs: Floats) -> Index:
    """Counts [true, predicted] of truth intp [n], probs float64 [n, labels]."""
    labels = probs.shape[1]
    return np.bincount(truth * labels + probs.argmax(axis=1), minlength=labels * labels).reshape(labels, labels)


def reliability(truth: Index, probs: Floats) -> list[Bin]:
    """Mean confidence and accuracy per bin of the top confidence, `BINS` equal bins."""
    confidence = probs.max(axis=1)
    right = probs.argmax(axis=1) == truth
    number = _bin(confidence)
    return [
        Bin(int(inside.sum()), float(confidence[inside].mean()), float(right[inside].mean()))
        for at in range(BINS)
        if (inside := number == at).any()
    ]


def wilson(right: int, rows: int) -> Interval:
    """Wilson's score interval of a proportion, 95 %; rows >= 1."""
    z = 1.959963984540054
    share, spread = right / rows, z * z / rows
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / rows + spread / (4 * rows)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


class _Tallies:
    """Sums per unit from which every figure of every round follows."""

    def __init__(self, answers: Answers, units: Units, fpr: float) -> None:
        labels = len(answers.labels)
        confidence = answers.probs.max(axis=1)
        predicted = answers.probs.argmax(axis=1)
        right = (predicted == answers.truth).astype(np.float64)
        columns = [np.ones(len(answers)), right]
        columns += [(answers.truth == label).astype(np.float64) for label in range(labels)]
        columns += [(predicted == label).astype(np.float64) for label in range(labels)]
        columns += [right * (predicted == label) for label in range(labels)]
        number = _bin(confidence)
        columns += [(right - confidence) * (number == at) for at in range(BINS)]
        self.sums = np.stack([units.totals(column) for column in columns], axis=1)
        self._labels, self._fpr = labels, fpr
        binary = set(answers.labels) == {NO, YES}
        judged = [answers.labels.index(YES)] if binary else range(labels)
        self._events = [
            frontier.events(answers.probs[:, label], 1.0 - (answers.truth == label), 1.0 * (answers.truth == label))
            for label in judged
            if 0 < int((answers.truth == label).sum()) < len(answers)
        ]
        self._curves: list[Curve] = [resample.curve(events, units) for events in self._events]

    def walk(self, weights: Floats) -> list[tuple[Floats, Floats]]:
        """Return the ROC curves under weights, as sums."""
        return [curve.walk(weights) for curve in self._curves]

    def exact(self) -> list[tuple[Floats, Floats]]:
        """Return the ROC curves of the data."""
        return [(x[None], y[None]) for x, y in (frontier.walk(events, 1) for events in self._events)]

    def figures(self, sums: Floats, curves: list[tuple[Floats, Floats]]) -> Floats:
        """Return accuracy, macro-F1, ECE, AUC and recall: float64 [5, rounds]."""
        labels = self._labels
        rows, right = sums[:, 0], sums[:, 1]
        true, predicted, hits = (sums[:, 2 + part * labels : 2 + (part + 1) * labels] for part in range(3))
        occurs = true > 0
        both = np.where(occurs, true + predicted, 1.0)
        f1 = np.where(occurs, 2 * hits / both, 0.0).sum(axis=1) / occurs.sum(axis=1)
        ece = np.abs(sums[:, 2 + 3 * labels :]).sum(axis=1) / rows
        nothing = np.full(len(rows), np.nan)
        aucs, recalls = [], []
        for x, y in curves:
            some = (x[:, -1] > 0) & (y[:, -1] > 0)
            scale = np.where(some, x[:, -1] * y[:, -1], 1.0)
            aucs.append(np.where(some, frontier.area(x, y) / scale, np.nan))
            allowed = np.where(x <= self._fpr * x[:, -1:], y, 0.0).max(axis=1)
            recalls.append(np.where(some, allowed / np.where(some, y[:, -1], 1.0), np.nan))
        auc = np.mean(aucs, axis=0) if aucs else nothing
        recall = np.mean(recalls, axis=0) if recalls else nothing
        return np.stack([right / rows, f1, ece, auc, recall])


def _slices(answers: Answers, names: np.ndarray[tuple[int], np.dtype[np.str_]]) -> dict[str, Slice]:
    return {str(name): _slice(answers, names == name) for name in dict.fromkeys(names.tolist()) if name}


def _slice(answers: Answers, inside: Flags) -> Slice:
    truth, probs = answers.truth[inside], answers.probs[inside]
    counts = confusion(truth, probs)
    right, rows = int(counts.trace()), len(truth)
    true, predicted = counts.sum(axis=1), counts.sum(axis=0)
    occurs = true > 0
    f1 = 2 * counts.diagonal()[occurs] / (true + predicted)[occurs]
    gaps = sum(bar.n * abs(bar.accuracy - bar.confidence) for bar in reliability(truth, probs))
    return Slice(rows, right / rows, wilson(right, rows), float(f1.mean()), gaps / rows)


def _flagged(answers: Answers) -> dict[str, Flagged]:
    raised = answers.raised
    if raised is None or YES not in answers.labels:
        return {}
    truth = answers.truth == answers.labels.index(YES)
    sources = np.array(answers.sources)
    parts = {ALL: np.ones(len(answers), dtype=np.bool_)}
    parts |= {name: sources == name for name in dict.fromkeys(answers.sources) if name}
    return {
        name: Flagged(
            int((inside & truth).sum()),
            _share(raised[inside & truth]),
            int((inside & ~truth).sum()),
            _share(raised[inside & ~truth]),
        )
        for name, inside in parts.items()
    }


def _share(flags: Flags) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _bin(confidence: Floats) -> Index:
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def _bucket_names() -> list[str]:
    edges = (0, *_LENGTHS)
    names = [f"{low}-{high - 1} characters" for low, high in itertools.pairwise(edges)]
    return [*names, f"{edges[-1]}+ characters"]


def _bucket(length: int) -> str:
    return "" if length < 0 else _bucket_names()[bisect.bisect_right(_LENGTHS, length)]
