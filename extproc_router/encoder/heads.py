"""Linear heads: an embedding to calibrated probabilities over labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from extproc_router.errors import ArtefactError
from extproc_router.types import Classification

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

Probability = Annotated[float, Meta(ge=0.0, le=1.0)]


class HeadFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`heads/<name>.json`.

    Attributes:
        labels: in the order of the rows.
        weights: [labels][dimension].
        bias: [labels].
        temperature: divides the logits; fitted on validation data (Guo et al. 2017, On Calibration of Modern Neural
            Networks).
        confidence_floor: below this confidence the answer is not to be trusted.
        floor_precision: precision above the floor that the floor was chosen for, on validation data.
    """

    labels: Annotated[list[str], Meta(min_length=2)]
    weights: list[list[float]]
    bias: list[float]
    temperature: Annotated[float, Meta(gt=0.0)]
    confidence_floor: Probability
    floor_precision: Probability


class Head:
    """softmax((W e + b) / T) over `labels`.

    Args:
        file: checked against itself by `read`.
    """

    def __init__(self, file: HeadFile) -> None:
        self.labels = tuple(file.labels)
        self.confidence_floor = file.confidence_floor
        self._weights = np.asarray(file.weights, dtype=np.float64) / file.temperature
        self._bias = np.asarray(file.bias, dtype=np.float64) / file.temperature

    def classify(self, embedding: npt.NDArray[np.float32]) -> Classification:
        """Answer for one embedding, float32 [dimension]."""
        logits = self._weights @ embedding.astype(np.float64) + self._bias
        exponentials = np.exp(logits - logits.max())
        return self._answer((exponentials / exponentials.sum()).tolist())

    def abstain(self) -> Classification:
        """The answer where there was nothing to read: every label equally probable."""
        return self._answer([1.0 / len(self.labels)] * len(self.labels))

    def _answer(self, probabilities: list[float]) -> Classification:
        probs = dict(zip(self.labels, probabilities, strict=True))
        label = max(probs, key=probs.__getitem__)
        return Classification(label=label, confidence=probs[label], probs=probs)


def read(path: Path, dimension: int) -> Head:
    """Read a head's file.

    Raises:
        ArtefactError: it is not JSON, a member is missing or out of range, labels repeat, or weights and bias do not
            fit the labels and the dimension.
    """
    try:
        file = msgspec.json.decode(path.read_bytes(), type=HeadFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtefactError(f"{path}: {error}") from error
    labels = len(file.labels)
    if len(set(file.labels)) != labels:
        raise ArtefactError(f"{path}: a label occurs twice")
    if len(file.weights) != labels or len(file.bias) != labels:
        raise ArtefactError(f"{path}: {labels} labels, {len(file.weights)} rows of weights, {len(file.bias)} biases")
    if any(len(row) != dimension for row in file.weights):
        raise ArtefactError(f"{path}: a row of weights is not {dimension} long")
    return Head(file)
