"""Fit a head on what every tier of the frozen encoder reads: weights, temperature, thresholds, exits.

Nothing is calibrated on rows that its weights were fitted to: either some rows are held out by the caller (as they must
be where the encoder itself was trained on the others), or every row is judged by a fit on the other folds. Plain numpy;
the same input gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, structs

from extproc_router.errors import StartupError
from extproc_router.learning.base import Floats, Singles
from extproc_router.learning.crossfit import deal
from extproc_router.training import exits, fit, metrics
from extproc_router.training.ladder import PAIR, Fitted, Rung, one_row, win_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extproc_router.learning.base import Flags, Index
    from extproc_router.training.ladder import Inputs, Kind

_TRUST_PENALTY = 1e-3
_SEARCH_ITERATIONS = 100  # enough to tell penalties apart


class Settings(Struct, frozen=True):
    """How to fit.

    Attributes:
        penalties: L2 penalties, descending; the search stops where the calibrated log loss grows again.
        folds: of the out-of-fold judgement.
        terms: what exits must keep.
        seed: of the deal into folds.
    """

    penalties: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5)
    folds: int = 5
    terms: exits.Terms = exits.Terms()
    seed: int = 0


def fit_choice(
    rows: Inputs, truth: Index, labels: Sequence[str], *, precision: float = 0.85, settings: Settings | None = None
) -> Fitted:
    """Fit one of several labels.

    Args:
        rows: what is read.
        truth: intp [n], an index into `labels`.
        labels: two or more.
        precision: wanted above the confidence floor.
        settings: see there.

    Raises:
        StartupError: a label has no row to be fitted to.
    """
    settings = settings or Settings()
    bench = _Bench(rows, truth, len(labels), settings)
    last = bench.last.probs

    def exit_of(tier: _Tier, left: Flags) -> Rung:
        agrees = tier.probs.argmax(axis=1) == last.argmax(axis=1)
        above = exits.above(tier.probs.max(axis=1)[left], agrees[left], settings.terms)
        return structs.replace(tier.rung, exit_above=above)

    floor = fit.choose_floor(truth[bench.judged], last, precision, bench.weights)
    return bench.fitted("choice", labels, exit_of, floor=(floor, precision))


def fit_flag(
    rows: Inputs,
    positive: Flags,
    label: str,
    *,
    fpr: float = 0.01,
    threshold: float | None = None,
    settings: Settings | None = None,
) -> Fitted:
    """Fit yes or no.

    Args:
        rows: what is read.
        positive: bool [n], the truth; both occur among the rows that are fitted.
        label: its name.
        fpr: share of the negatives that the shipped threshold may flag, see `exits.raise_at`.
        threshold: the shipped threshold, where it was chosen otherwise.
        settings: see there.

    Raises:
        StartupError: all rows are of one kind, or no negative calibrates.
    """
    settings = settings or Settings()
    bench = _Bench(rows, positive.astype(np.intp), 1, settings)
    last = bench.last.probs[:, 1]
    if threshold is None:
        if positive[bench.judged].all():
            raise StartupError(f"{label}: no negative row is left to choose the threshold by")
        threshold = exits.raise_at(last, positive[bench.judged], fpr)
    raised = last >= threshold

    def exit_of(tier: _Tier, left: Flags) -> Rung:
        high, low = exits.of_flag(tier.probs[left, 1], raised[left], threshold, settings.terms)
        return structs.replace(tier.rung, exit_above=high, exit_below=low)

    return bench.fitted("flag", (label,), exit_of, threshold=threshold)


def fit_pair(
    rows: Inputs, strong: Flags, weak: Flags, *, tolerance: float = 0.25, settings: Settings | None = None
) -> Fitted:
    """Fit which of two models is right.

    A tier agrees with the last one where their scores (`win_rate`) are close. How sure the four classes are does not
    say that, so a logistic regression on the tier's own inputs learns it.

    Args:
        rows: what is read.
        strong: bool [n], whether the strong model is right.
        weak: bool [n], whether the weak one is.
        tolerance: difference of scores that still agrees, in standard deviations of the last tier's: what a cut at any
            place moves depends on how far the scores lie apart.
        settings: see there.

    Raises:
        StartupError: one of the four classes has no row to be fitted to.
    """
    settings = settings or Settings()
    truth = np.select([strong & weak, strong, weak], [0, 1, 2], default=3).astype(np.intp)
    bench = _Bench(rows, truth, len(PAIR), settings)
    last = win_rate(bench.last.probs)
    near = tolerance * float(last.std())
    fold = deal(rows.groups[bench.judged], settings.folds, settings.seed)

    def exit_of(tier: _Tier, left: Flags) -> Rung:
        agrees = np.abs(win_rate(tier.probs) - last) <= near
        if agrees.all() or not agrees.any():
            return tier.rung
        x, kinds = tier.x[bench.judged], agrees.astype(np.intp)
        sure = fit.softmax(_cross_fitted(x, kinds, fold, labels=2, penalty=_TRUST_PENALTY))[:, 1]
        above = exits.above(sure[left], agrees[left], settings.terms)
        trust = one_row(fit.fit_linear(x, kinds, labels=2, penalty=_TRUST_PENALTY))
        return structs.replace(tier.rung, trust=trust, exit_above=above)

    return bench.fitted("pair", PAIR, exit_of)


class _Tier(Struct, frozen=True):
    """One tier, fitted and calibrated; `x` of all rows, `probs` of the judged ones."""

    rung: Rung
    x: Singles
    probs: Floats


class _Bench:
    """Every tier of one head, fitted and calibrated.

    Args:
        rows: what is read.
        truth: intp [n], the class.
        labels: how many rows of weights the head has; one tells two classes apart.
        settings: see there.

    Raises:
        StartupError: a class has no row to be fitted to, or the last tier cannot be read.
    """

    def __init__(self, rows: Inputs, truth: Index, labels: int, settings: Settings) -> None:
        self._rows, self._truth, self._settings = rows, truth, settings
        self._single, self._classes = labels == 1, max(labels, 2)
        held_out = rows.held_out
        self._into = np.ones(len(rows), dtype=np.bool_) if held_out is None else ~held_out
        missing = np.flatnonzero(np.bincount(truth[self._into], minlength=self._classes) == 0)
        if len(missing):
            raise StartupError(f"class {missing[0]} of {self._classes} has no row to be fitted to")
        self.judged = np.arange(len(rows), dtype=np.intp) if held_out is None else np.flatnonzero(held_out)
        self.weights = None if rows.weights is None else rows.weights[self.judged]
        self._tiers = [None if x is None else self._fit(x) for x in rows.tiers]
        if self._tiers[-1] is None:
            raise StartupError("the last tier has no inputs")
        self.last: _Tier = self._tiers[-1]

    def fitted(
        self,
        kind: Kind,
        labels: Sequence[str],
        exit_of: Callable[[_Tier, Flags], Rung],
        *,
        threshold: float | None = None,
        floor: tuple[float, float] = (0.0, 0.0),
    ) -> Fitted:
        """Choose the exits, tier by tier, each on the rows that the tiers before it left over."""
        left = np.ones(len(self.judged), dtype=np.bool_)
        rungs: list[Rung | None] = []
        for tier in self._tiers[:-1]:
            rung = None if tier is None else exit_of(tier, left)
            if tier and rung:
                left &= ~rung.answers(tier.probs, tier.x[self.judged])
            rungs.append(rung)
        return Fitted(
            kind=kind,
            labels=tuple(labels),
            rungs=(*rungs, self.last.rung),
            threshold=threshold,
            confidence_floor=floor[0],
            floor_precision=floor[1],
            judged=self.judged,
            probs=tuple(None if tier is None else tier.probs for tier in self._tiers),
        )

    def _fit(self, x: Singles) -> _Tier:
        truth = self._truth[self.judged]
        best: tuple[float, float, float, Floats] | None = None
        for penalty in self._settings.penalties:
            logits = self._unseen(x, penalty)
            temperature = fit.fit_temperature(logits, truth, self.weights)
            probs = fit.softmax(logits, temperature)
            loss = metrics.log_loss(truth, probs, self.weights)
            if best and loss >= best[0]:
                break
            best = loss, penalty, temperature, probs
        if best is None:
            raise StartupError("no penalty to choose from")
        _, penalty, temperature, probs = best
        linear = self._linear(x, penalty)
        rung = Rung(one_row(linear) if self._single else linear, temperature, penalty=penalty)
        return _Tier(rung, x, probs)

    def _unseen(self, x: Singles, penalty: float) -> Floats:
        """Logits of the judged rows, by fits that did not see them."""
        if self._rows.held_out is not None:
            return self._linear(x, penalty, iterations=_SEARCH_ITERATIONS).logits(x[self.judged])
        fold = deal(self._rows.groups, self._settings.folds, self._settings.seed)
        return _cross_fitted(x, self._truth, fold, labels=self._classes, penalty=penalty, weights=self._rows.weights)

    def _linear(self, x: Singles, penalty: float, **options: int) -> fit.Linear:
        weights = None if self._rows.weights is None else self._rows.weights[self._into]
        into, truth = x[self._into], self._truth[self._into]
        return fit.fit_linear(into, truth, labels=self._classes, weights=weights, penalty=penalty, **options)


def _cross_fitted(
    x: Singles, truth: Index, fold: Index, *, labels: int, penalty: float, weights: Floats | None = None
) -> Floats:
    """Logits [n, labels], each by a fit on the other folds; 0 where there are none."""
    logits = np.zeros((len(x), labels))
    for number in np.unique(fold):
        inside = fold == number
        if not inside.all():
            others = None if weights is None else weights[~inside]
            linear = fit.fit_linear(
                x[~inside],
                truth[~inside],
                labels=labels,
                weights=others,
                penalty=penalty,
                iterations=_SEARCH_ITERATIONS,
            )
            logits[inside] = linear.logits(x[inside])
    return logits
