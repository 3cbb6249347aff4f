"""Place a new model among those that a factorisation knows, from few labels: its own vector alone is fitted.

Prompt vectors stay as they are. The new vector and bias maximise the likelihood of the labels times a Gaussian prior,
whose mean and covariance are those of the known models' vectors: a new model is, until its labels say otherwise, a
model like the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from extproc_router.learning import clusters, logistic

if TYPE_CHECKING:
    from extproc_router.learning.base import Features, Floats, Index, Singles
    from extproc_router.learning.strategies.factorisation import FittedFactorisation

_OWN = 0.1
"""Share of the prior's covariance that is spherical: few models span fewer directions than there are."""
_STEPS = 30
_HALVINGS = 30
_TOLERANCE = 1e-8


def place(fitted: FittedFactorisation, model: str, features: Features, quality: Floats) -> FittedFactorisation:
    """Add a model.

    Args:
        fitted: the factorisation; unchanged.
        model: name of the new one.
        features: of k prompts, k >= 0.
        quality: float64 [k], in [0, 1], how well the new model answered them.

    Returns:
        The factorisation with one more model, last.

    Raises:
        ValueError: the model is there already.
    """
    if model in fitted.models:
        raise ValueError(f"{model} is there already")
    ones = np.ones((len(features), 1))
    point = _most_probable(np.hstack([fitted.prompt_vectors(features), ones]), quality, *_prior(fitted))
    return replace(
        fitted,
        models=(*fitted.models, model),
        vectors=np.vstack([fitted.vectors, point[:-1]]),
        biases=np.append(fitted.biases, point[-1]),
    )


def choose_prompts(embeddings: Singles, *, count: int, each: int, seed: int) -> Index:
    """Choose which prompts to label: the same number from every cluster of similar ones.

    Args:
        embeddings: float32 [n, dimension], of length 1.
        count: clusters.
        each: prompts from each cluster; all of them where it has fewer.
        seed: of the clusters and of the choice.

    Returns:
        intp [<= count * each], ascending.
    """
    cluster = clusters.assign(embeddings, clusters.fit(embeddings, count, seed))
    random = np.random.default_rng(seed)
    chosen = [random.permutation(np.flatnonzero(cluster == number))[:each] for number in range(count)]
    return np.sort(np.concatenate(chosen)).astype(np.intp)


def _prior(fitted: FittedFactorisation) -> tuple[Floats, Floats]:
    """Mean [r + 1] and precision [r + 1, r + 1] of the models' vectors and biases."""
    known = np.column_stack([fitted.vectors, fitted.biases])
    mean: Floats = known.mean(axis=0)
    spread = known - mean
    covariance = spread.T @ spread / max(1, len(known) - 1)
    # One model alone shows no spread at all: log-odds of about 1 are as good a guess as any.
    average = float(np.trace(covariance)) / len(mean) or 1.0
    covariance = (1 - _OWN) * covariance + _OWN * average * np.eye(len(mean))
    return mean, np.linalg.inv(covariance).astype(np.float64)


def _most_probable(inputs: Floats, targets: Floats, mean: Floats, precision: Floats) -> Floats:
    """Newton's method with halved steps; the problem is strictly convex."""

    def loss(at: Floats) -> float:
        logits = inputs @ at
        off = at - mean
        return float((np.logaddexp(0.0, logits) - targets * logits).sum() + off @ precision @ off / 2)

    point = mean
    for _ in range(_STEPS):
        probabilities = logistic.sigmoid(inputs @ point)
        gradient = inputs.T @ (probabilities - targets) + precision @ (point - mean)
        hessian = (inputs * (probabilities * (1 - probabilities))[:, None]).T @ inputs + precision
        step = np.linalg.solve(hessian, gradient)
        size, here = 1.0, loss(point)
        for _ in range(_HALVINGS):
            if loss(point - size * step) <= here:
                break
            size /= 2
        point = point - size * step
        if float(np.abs(step).max()) < _TOLERANCE:
            break
    return point
