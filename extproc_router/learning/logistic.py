"""The logistic function and its loss, safe for any size of logit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from extproc_router.learning.base import Flags, Floats


def sigmoid(logits: Floats) -> Floats:
    """1 / (1 + exp(-z)), by way of tanh, which cannot overflow."""
    probabilities: Floats = 0.5 + 0.5 * np.tanh(0.5 * logits)
    return probabilities


def logit(probabilities: Floats) -> Floats:
    """log(p / (1 - p)), p in (0, 1)."""
    logits: Floats = np.log(probabilities) - np.log1p(-probabilities)
    return logits


def loss(logits: Floats, targets: Floats, tried: Flags) -> tuple[float, Floats]:
    """Summed cross-entropy, in nats, of soft targets.

    Args:
        logits: float64 [n, m].
        targets: float64 [n, m], in [0, 1]; any finite number where not tried.
        tried: bool [n, m], which cells count.

    Returns:
        The loss and its gradient by the logits, float64 [n, m], 0 where not tried.
    """
    cells = np.where(tried, np.logaddexp(0.0, logits) - targets * logits, 0.0)
    return float(cells.sum()), np.where(tried, sigmoid(logits) - targets, 0.0)
