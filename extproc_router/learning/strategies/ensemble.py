"""Stacking: a weighted mean of other strategies, the weights chosen on predictions that each made out of fold.

The weights minimise the squared error of the *differences* between models, because only those route: a strategy that
knows how hard prompts are, but not for whom, is of no use here (Breiman 1996, Stacked Regressions, with weights that
are not negative and sum to 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Annotated

import numpy as np
from msgspec import Meta, Struct

from extproc_router.learning import crossfit
from extproc_router.learning.base import Fitted, Floats
from extproc_router.learning.strategies.factorisation import Factorisation
from extproc_router.learning.strategies.linear import Linear
from extproc_router.learning.strategies.neighbours import Neighbours
from extproc_router.learning.strategies.similarity import Similarity
from extproc_router.learning.strategies.table import Table

if TYPE_CHECKING:
    import numpy.typing as npt

    from extproc_router.learning.base import Features, Outcomes, Strategy

_SEPARATOR = "/"
_SLIVER = 1e-12


class Members(Struct, frozen=True, forbid_unknown_fields=True):
    """The strategies that are combined, with their settings."""

    similarity: Similarity = Similarity()
    mf: Factorisation = Factorisation()
    neighbours: Neighbours = Neighbours()
    linear: Linear = Linear()
    table: Table = Table()


class Ensemble(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        members: what is combined.
        folds: of the inner cross-validation.
        evenness: pull of the weights towards equal ones, in prompts whose models differ by 1; what keeps near-equal
            members from trading places by chance.
    """

    members: Members = Members()
    folds: Annotated[int, Meta(ge=2, le=20)] = 3
    evenness: Annotated[float, Meta(ge=0.0)] = 10.0

    def fit(self, outcomes: Outcomes, features: Features, seed: int) -> FittedEnsemble:
        """Predict out of fold by every member, weigh them, then fit each on everything."""
        members = _members(self.members)
        predicted = [
            crossfit.out_of_fold(member, outcomes, features, folds=self.folds, seed=seed) for member in members.values()
        ]
        return FittedEnsemble(
            models=outcomes.models,
            members={name: member.fit(outcomes, features, seed) for name, member in members.items()},
            weights=stack(np.stack(predicted), outcomes.quality, self.evenness),
        )

    def restore(self, models: tuple[str, ...], arrays: Mapping[str, npt.NDArray[np.generic]]) -> FittedEnsemble:
        """See `Strategy.restore`."""
        members = {
            name: member.restore(models, _below(arrays, name)) for name, member in _members(self.members).items()
        }
        weights = arrays["weights"].astype(np.float64)
        if weights.shape != (len(members),):
            raise ValueError("the weights do not fit the members")
        return FittedEnsemble(models, members, weights)


class FittedEnsemble(Struct, frozen=True):
    """The members and float64 [members] weights, not negative, of sum 1."""

    models: tuple[str, ...]
    members: Mapping[str, Fitted]
    weights: Floats

    def quality(self, features: Features) -> Floats:
        """See `Fitted.quality`."""
        total = np.zeros((len(features), len(self.models)))
        for member, weight in zip(self.members.values(), self.weights.tolist(), strict=True):
            if weight > 0:
                total += weight * member.quality(features)
        return total

    def arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """See `Fitted.arrays`."""
        flat = {
            f"{name}{_SEPARATOR}{key}": array
            for name, member in self.members.items()
            for key, array in member.arrays().items()
        }
        return {"weights": self.weights, **flat}


def stack(predicted: Floats, quality: Floats, evenness: float) -> Floats:
    """Weigh strategies by least squares on the differences between models, exactly.

    Args:
        predicted: float64 [k, n, m], out of fold, k small: every subset of strategies is solved.
        quality: float64 [n, m], what happened; NaN where not tried.
        evenness: added to the squared error times |weights - 1/k|^2.

    Returns:
        float64 [k], not negative, of sum 1.
    """
    tried = np.isfinite(quality)
    errors = np.stack([_centred(strategy - np.where(tried, quality, 0.0), tried) for strategy in predicted])
    flat = errors.reshape(len(errors), -1)
    # With weights of sum 1 the error of the mean is the mean of the errors: a quadratic form in the weights alone.
    gram = flat @ flat.T
    # The sliver keeps the form definite where a strategy makes no error at all.
    gram += (evenness + _SLIVER * (1.0 + np.trace(gram))) * np.eye(len(errors))
    best, least = np.full(len(errors), 1 / len(errors)), np.inf
    for size in range(1, len(errors) + 1):
        for subset in combinations(range(len(errors)), size):
            block = gram[np.ix_(subset, subset)]
            solved = np.linalg.solve(block, np.ones(size))
            if (solved < 0).any() or solved.sum() <= 0:
                continue
            weights = np.zeros(len(errors))
            weights[list(subset)] = solved / solved.sum()
            value = float(weights @ gram @ weights)
            if value < least - 1e-12:
                best, least = weights, value
    return best


def _centred(values: Floats, tried: npt.NDArray[np.bool_]) -> Floats:
    counts = np.maximum(tried.sum(axis=1, keepdims=True), 1)
    kept = np.where(tried, values, 0.0)
    centred: Floats = np.where(tried, kept - kept.sum(axis=1, keepdims=True) / counts, 0.0)
    return centred


def _members(members: Members) -> dict[str, Strategy]:
    return {name: getattr(members, name) for name in members.__struct_fields__}


def _below(arrays: Mapping[str, npt.NDArray[np.generic]], name: str) -> Mapping[str, npt.NDArray[np.generic]]:
    prefix = f"{name}{_SEPARATOR}"
    return {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
