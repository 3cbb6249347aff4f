"""How good a head is: small pure functions over labels and probabilities.

Throughout, `truth` is int [n] (rows of the label list), `probs` float [n, labels] with rows that sum to 1, n >= 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Labels = npt.NDArray[np.intp]
    Floats = npt.NDArray[np.float64]


def accuracy(truth: Labels, probs: Floats) -> float:
    """Share of rows whose most probable label is the true one, in [0, 1]."""
    return float((probs.argmax(axis=1) == truth).mean())


def confusion(truth: Labels, probs: Floats) -> npt.NDArray[np.int64]:
    """Counts [true label, predicted label]."""
    labels = probs.shape[1]
    counts = np.bincount(truth * labels + probs.argmax(axis=1), minlength=labels * labels)
    return counts.reshape(labels, labels).astype(np.int64)


def macro_f1(truth: Labels, probs: Floats) -> float:
    """Mean over the labels that occur of 2 TP / (2 TP + FP + FN), in [0, 1]."""
    counts = confusion(truth, probs)
    true, predicted, right = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    occurs = true > 0
    return float((2 * right[occurs] / (true + predicted)[occurs]).mean())


def expected_calibration_error(truth: Labels, probs: Floats, bins: int = 15) -> float:
    """Mean |accuracy - confidence| over equally wide bins, weighted by rows, in [0, 1] (Guo et al. 2017, eq. 3)."""
    confidence = probs.max(axis=1)
    right = probs.argmax(axis=1) == truth
    number = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    gaps = np.bincount(number, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def log_loss(truth: Labels, probs: Floats, weights: Floats | None = None) -> float:
    """Mean negative log-likelihood in nats, >= 0; rows count by `weights` [n], equally by default."""
    losses = -np.log(np.maximum(probs[np.arange(len(truth)), truth], np.finfo(float).tiny))
    return float(np.average(losses, weights=weights))


def above(truth: Labels, probs: Floats, floor: float, weights: Floats | None = None) -> tuple[float, float]:
    """Coverage and precision of the answers at or above a confidence floor.

    Args:
        truth: see above.
        probs: see above.
        floor: in [0, 1].
        weights: [n], how much each row counts; equally by default.

    Returns:
        (share of rows with confidence >= floor, share of those that are right), in [0, 1]; precision is 1 where no
        row is left.
    """
    share = np.full(len(truth), 1 / len(truth)) if weights is None else weights / weights.sum()
    sure = probs.max(axis=1) >= floor
    if not sure.any():
        return 0.0, 1.0
    right = probs.argmax(axis=1) == truth
    return float(share[sure].sum()), float(share[sure & right].sum() / share[sure].sum())


def auc(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.floating]) -> float:
    """Area under the ROC curve, ties counted half (Mann-Whitney); NaN where one class is missing."""
    positive, negative = np.sort(scores[truth]), np.sort(scores[~truth])
    if not len(positive) or not len(negative):
        return float("nan")
    below = np.searchsorted(negative, positive, side="left") + np.searchsorted(negative, positive, side="right")
    return float(below.sum() / (2 * len(positive) * len(negative)))


def recall_at(truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.floating], fpr: float) -> float:
    """Share of the true rows above the lowest threshold that at most `fpr` of the others reach, in [0, 1]."""
    negative = np.sort(scores[~truth])[::-1]
    threshold = negative[min(len(negative) - 1, int(fpr * len(negative)))]
    return float((scores[truth] > threshold).mean())
