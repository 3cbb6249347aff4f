"""Fit a linear head on frozen embeddings: multinomial logistic regression, temperature, confidence floor.

Plain numpy: the problem is convex and small, and the same input gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.learning.lbfgs import minimise
from extproc_router.training import metrics

if TYPE_CHECKING:
    import numpy.typing as npt

    Labels = npt.NDArray[np.intp]
    Floats = npt.NDArray[np.float64]

_FLOORS = np.round(np.arange(0.0, 1.0, 0.01), 2)


class Linear(Struct, frozen=True):
    """softmax(weights e + bias): weights float64 [labels, dimension], bias [labels]."""

    weights: Floats
    bias: Floats

    def logits(self, embeddings: npt.NDArray[np.float32]) -> Floats:
        """Logits [n, labels] of embeddings [n, dimension]."""
        logits: Floats = embeddings.astype(np.float64) @ self.weights.T + self.bias
        return logits


class CalibratedHead(Struct, frozen=True):
    """A head ready to be written.

    Attributes:
        labels: in the order of the rows.
        linear: weights and bias.
        temperature: divides the logits, > 0.
        confidence_floor: in [0, 1].
        floor_precision: what the floor was chosen for, in [0, 1].
    """

    labels: tuple[str, ...]
    linear: Linear
    temperature: float
    confidence_floor: float
    floor_precision: float

    def probs(self, embeddings: npt.NDArray[np.float32]) -> Floats:
        """Probabilities [n, labels] of embeddings [n, dimension]."""
        return softmax(self.linear.logits(embeddings), self.temperature)


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities along the last axis of logits / temperature; temperature > 0."""
    scaled = logits / temperature
    exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probs: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probs


def fit_linear(
    embeddings: npt.NDArray[np.float32],
    truth: Labels,
    *,
    labels: int,
    weights: Floats | None = None,
    penalty: float = 1e-5,
    iterations: int = 300,
) -> Linear:
    """Minimise the weighted mean cross-entropy plus penalty/2 |W|^2 (the bias is free).

    Args:
        embeddings: [n, dimension], of length 1 each.
        truth: int [n], each below `labels`.
        labels: how many there are.
        weights: [n], positive, of each row; equal by default.
        penalty: L2 penalty, >= 0.
        iterations: bound on L-BFGS steps.

    Returns:
        The minimum, or where the bound stopped it.
    """
    rows, dimension = embeddings.shape
    # A column of ones carries the bias.
    inputs = np.hstack([embeddings.astype(np.float64), np.ones((rows, 1))])
    share = np.full(rows, 1.0 / rows) if weights is None else weights / weights.sum()
    index = np.arange(rows)
    penalised = np.ones((labels, dimension + 1))
    penalised[:, -1] = 0.0

    def loss(flat: Floats) -> tuple[float, Floats]:
        parameters = flat.reshape(labels, dimension + 1)
        probs = softmax(inputs @ parameters.T)
        value = -(share * np.log(np.maximum(probs[index, truth], np.finfo(float).tiny))).sum()
        probs[index, truth] -= 1.0
        gradient = (probs * share[:, None]).T @ inputs + penalty * penalised * parameters
        return float(value + penalty / 2 * (penalised * parameters**2).sum()), gradient.ravel()

    best = minimise(loss, np.zeros(labels * (dimension + 1)), iterations=iterations).reshape(labels, dimension + 1)
    return Linear(weights=best[:, :-1], bias=best[:, -1])


def fit_temperature(logits: Floats, truth: Labels, weights: Floats | None = None) -> float:
    """The temperature in [0.05, 20] with the least log loss, by golden-section search on its logarithm.

    The log loss has one minimum in 1/T (it is convex there), so the search cannot miss it.

    Args:
        logits: [n, labels].
        truth: int [n].
        weights: [n], how much each row counts; equally by default.

    Returns:
        The temperature.
    """

    def loss(log_temperature: float) -> float:
        return metrics.log_loss(truth, softmax(logits, float(np.exp(log_temperature))), weights)

    low, high = float(np.log(0.05)), float(np.log(20.0))
    ratio = (np.sqrt(5.0) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def choose_floor(truth: Labels, probs: Floats, precision: float, weights: Floats | None = None) -> float:
    """The lowest floor, in steps of 0.01, from which on every higher one with 1 % of the rows keeps the precision.

    Args:
        truth: int [n].
        probs: [n, labels], calibrated.
        precision: wanted of the answers above the floor, in [0, 1].
        weights: [n], how much each row counts; equally by default.

    Returns:
        The floor in [0, 0.99].
    """
    chosen = float(_FLOORS[-1])
    for floor in _FLOORS[::-1]:
        coverage, reached = metrics.above(truth, probs, float(floor), weights)
        if coverage >= 0.01 and reached < precision:  # noqa: PLR2004  fewer rows say nothing
            break
        chosen = float(floor)
    return chosen
