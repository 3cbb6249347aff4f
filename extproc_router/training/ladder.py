"""A fitted head: how each tier is read, and which tier answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from extproc_router.encoder.head_file import Scale
from extproc_router.learning.base import Flags, Floats, Index, Singles
from extproc_router.learning.surface import fit_scale
from extproc_router.training import fit
from extproc_router.training.fit import Linear

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Kind: TypeAlias = Literal["choice", "flag", "pair", "spans"]

_ROUNDING: Final = 1e-6

PAIR = ("both", "strong", "weak", "neither")
"""Which of two models is right: the classes of a pair."""


class Inputs(Struct, frozen=True):
    """n rows as a head reads them.

    Attributes:
        tiers: float32 [n, width] for each tier, the head's inputs side by side; None where it cannot read a tier.
        groups: intp [n]; rows of one group are on one side of every split.
        weights: float64 [n], positive, how much a row counts in the fit and in its temperature; None: all the same.
        held_out: bool [n], rows that calibrate and are never fitted; None: every row is fitted, and judged out of fold.
    """

    tiers: tuple[Singles | None, ...]
    groups: Index
    weights: Floats | None = None
    held_out: Flags | None = None

    def __len__(self) -> int:
        return len(self.groups)

    def take(self, index: Index | Flags) -> Inputs:
        """Return the rows at `index`."""
        return Inputs(
            tiers=tuple(None if x is None else x[index] for x in self.tiers),
            groups=self.groups[index],
            weights=None if self.weights is None else self.weights[index],
            held_out=None if self.held_out is None else self.held_out[index],
        )


def numbered(groups: Iterable[str]) -> Index:
    """Return intp [n]: the same number for the same group."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.intp)


def scale_of(surface: Floats) -> Scale:
    """Return the scale of surface features, float64 [n, surface.SIZE]."""
    fitted = fit_scale(surface, 1.0)
    # What never differs has a deviation of nothing but rounding.
    return Scale(fitted.mean.tolist(), np.where(fitted.deviation > _ROUNDING, fitted.deviation, 1.0).tolist())


class Rung(Struct, frozen=True):
    """How one tier is read.

    Attributes:
        linear: one row for each label; of a flag one row, whose logit stands against 0.
        temperature: divides the logits.
        trust: one row: the logit of agreeing with the last tier; None where the answer's own confidence says it.
        exit_above: answers from this confidence on; None: never (the last tier: always).
        exit_below: of a flag, answers up to this p too.
        penalty: that was taken.
    """

    linear: Linear
    temperature: float
    trust: Linear | None = None
    exit_above: float | None = None
    exit_below: float | None = None
    penalty: float = 0.0

    def probs(self, x: Singles) -> Floats:
        """Probabilities [n, labels] of inputs [n, width]; of a flag [n, 2], quiet and raised."""
        return fit.softmax(_logits(self.linear, x), self.temperature)

    def answers(self, probs: Floats, x: Singles) -> Flags:
        """Which rows this tier answers by itself, bool [n]."""
        if self.trust is not None:
            confidence = fit.softmax(_logits(self.trust, x))[:, 1]
        else:
            confidence = probs[:, 1] if len(self.linear.bias) == 1 else probs.max(axis=1)
        answered = np.zeros(len(x), dtype=np.bool_)
        if self.exit_above is not None:
            answered |= confidence >= self.exit_above
        if self.exit_below is not None:
            answered |= confidence <= self.exit_below
        return answered


class Fitted(Struct, frozen=True):
    """A head ready to be written.

    Attributes:
        kind: choice, flag or pair.
        labels: in the order of the rows; of a flag its name.
        rungs: one for each tier.
        threshold: of a flag, from which p on it is raised.
        confidence_floor: of a choice, see `fit.choose_floor`.
        floor_precision: what the floor was chosen for.
        judged: intp [m], which rows calibrated.
        probs: for each tier float64 [m, labels], calibrated, by fits that did not see the row.
    """

    kind: Kind
    labels: tuple[str, ...]
    rungs: tuple[Rung | None, ...]
    threshold: float | None
    confidence_floor: float
    floor_precision: float
    judged: Index
    probs: tuple[Floats | None, ...]

    def read(self, tiers: Sequence[Singles | None], *, early: bool = True) -> tuple[Floats, Index]:
        """Answer as the router would.

        Args:
            tiers: as in `Inputs`.
            early: whether tiers before the last may answer.

        Returns:
            Probabilities [n, labels] (of a flag: quiet and raised), and the tier that gave each, intp [n].
        """
        last, rows = len(self.rungs) - 1, max(0 if x is None else len(x) for x in tiers)
        chosen = np.full(rows, last, dtype=np.intp)
        probs = np.zeros((rows, max(len(self.labels), 2)))
        # From the last tier down: what an earlier one answers stands.
        for tier in range(last, -1 if early else last - 1, -1):
            rung, x = self.rungs[tier], tiers[tier]
            if rung is not None and x is not None:
                here = rung.probs(x)
                answered = rung.answers(here, x) | (tier == last)
                chosen[answered], probs[answered] = tier, here[answered]
        return probs, chosen


def win_rate(probs: Floats) -> Floats:
    """The strong model's win rate, ties counted half: float64 [n] in [0, 1], of [n, 4] in the order of `PAIR`."""
    score: Floats = (1 + probs[:, 1] - probs[:, 2]) / 2
    return score


def one_row(linear: Linear) -> Linear:
    """Two rows as the difference of their logits, which says the same."""
    return Linear(linear.weights[1:] - linear.weights[:1], linear.bias[1:] - linear.bias[:1])


def _logits(linear: Linear, x: Singles) -> Floats:
    logits = linear.logits(x)
    return np.hstack([np.zeros_like(logits), logits]) if len(linear.bias) == 1 else logits
