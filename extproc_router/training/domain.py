"""Fit the domain head: which texts count how much, and what the result is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, field

from extproc_router.training import fit, metrics
from extproc_router.training.data import Source, Split
from extproc_router.training.fit import CalibratedHead

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from extproc_router.training.data import Example


# Validation holds ten exam texts for one of chat; calibration gives each register half the say.
_CHAT = (Source.EVERYDAY, Source.NATURAL, Source.ARENA)


class Settings(Struct, frozen=True):
    """What was chosen on validation data, by hand; the model card says how.

    Attributes:
        source_weights: how much one text of a source counts.
        balance: 0 leaves the labels as frequent as they are, 1 makes them count the same.
        penalty: L2 penalty.
        precision: wanted above the confidence floor, exam and chat texts counting half each.
    """

    source_weights: dict[str, float] = field(
        default_factory=lambda: {
            Source.EXAM: 0.5,  # each question stands there twice, with and without its options
            Source.EXAM_OPTIONS: 0.5,
            Source.WORD_PROBLEM: 0.5,
            Source.EVERYDAY: 0.75,
            Source.NATURAL: 5.0,
            Source.TOPIC: 1.5,
            Source.PROGRAMMING: 1.0,
        }
    )
    balance: float = 0.25
    penalty: float = 5e-5
    precision: float = 0.85


class Figures(Struct, frozen=True):
    """What the head is worth on one source and split; shares in [0, 1]."""

    split: Split
    source: Source
    texts: int
    accuracy: float
    macro_f1: float
    ece: float
    coverage: float
    precision: float


class Outcome(Struct, frozen=True):
    """The head, its figures, and the confusion counts [true, predicted] on the exam test."""

    head: CalibratedHead
    figures: list[Figures]
    confusion: list[list[int]]


def train(examples: Sequence[Example], embeddings: npt.NDArray[np.float32], settings: Settings) -> Outcome:
    """Fit on the training split, calibrate on validation, report on validation and test.

    Args:
        examples: of all splits; validation must not be empty.
        embeddings: [examples, dimension].
        settings: see there.

    Returns:
        The head and its figures, rounded to four digits.
    """
    labels = tuple(sorted({example.label for example in examples}))
    truth = np.array([labels.index(example.label) for example in examples], dtype=np.intp)
    split = np.array([example.split for example in examples])
    source = np.array([example.source for example in examples])
    training, validation = split == Split.TRAIN, split == Split.VALIDATION
    linear = fit.fit_linear(
        embeddings[training],
        truth[training],
        labels=len(labels),
        weights=_weights(source[training], truth[training], settings),
        penalty=settings.penalty,
    )
    logits = linear.logits(embeddings)
    registers = _half_each(np.isin(source[validation], _CHAT))
    temperature = fit.fit_temperature(logits[validation], truth[validation], registers)
    probs = fit.softmax(logits, temperature)
    floor = fit.choose_floor(truth[validation], probs[validation], settings.precision, registers)
    figures = [
        _figures(truth[rows], probs[rows], floor, part, origin)
        for part in (Split.VALIDATION, Split.TEST)
        for origin in Source
        if (rows := (split == part) & (source == origin)).any()
    ]
    tested = (split == Split.TEST) & (source == Source.EXAM)
    return Outcome(
        head=fit.CalibratedHead(labels, linear, temperature, floor, settings.precision),
        figures=figures,
        confusion=metrics.confusion(truth[tested], probs[tested]).tolist(),
    )


def _weights(source: npt.NDArray[np.str_], truth: npt.NDArray[np.intp], settings: Settings) -> npt.NDArray[np.float64]:
    weights = np.array([settings.source_weights[name] for name in source.tolist()])
    totals = np.bincount(truth, weights=weights)
    balanced: npt.NDArray[np.float64] = weights * (totals.mean() / totals[truth]) ** settings.balance
    return balanced


def _half_each(chat: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    share = max(chat.mean(), 1 / len(chat))
    weights: npt.NDArray[np.float64] = np.where(chat, 0.5 / share, 0.5 / max(1 - share, 1 / len(chat)))
    return weights


def _figures(
    truth: npt.NDArray[np.intp], probs: npt.NDArray[np.float64], floor: float, split: Split, source: Source
) -> Figures:
    coverage, precision = metrics.above(truth, probs, floor)
    return Figures(
        split=split,
        source=source,
        texts=len(truth),
        accuracy=round(metrics.accuracy(truth, probs), 4),
        macro_f1=round(metrics.macro_f1(truth, probs), 4),
        ece=round(metrics.expected_calibration_error(truth, probs), 4),
        coverage=round(coverage, 4),
        precision=round(precision, 4),
    )
