"""Linear heads over one vector a text: a choice, a flag, a pair of models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from extproc_router import surface
from extproc_router.encoder import shapes
from extproc_router.types import Classification, Flag, HeadAnswer, Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extproc_router.encoder.head_file import HeadFile, Reading, Scale

_CUT = 4.0  # deviations: what lies further off counts as that far, lest a giant prompt decide alone
_SURFACE_WEIGHT = 0.25  # beside vectors of length 1


class Page:
    """One text, and what only some heads want to know of it.

    Args:
        text: the original.
        offsets: of its tokens, special ones excluded.
        continues: tells which of them go on with a word.
    """

    def __init__(self, text: str, offsets: Sequence[tuple[int, int]], continues: Callable[[], Sequence[bool]]) -> None:
        self.text = text
        self.offsets = offsets
        self._continues = continues

    @cached_property
    def continues(self) -> Sequence[bool]:
        """For each token, whether it goes on with the word of the one before."""
        return self._continues()

    @cached_property
    def surface(self) -> npt.NDArray[np.float64]:
        """float64 [surface.SIZE]."""
        return np.array(surface.read(self.text))

    @cached_property
    def shapes(self) -> npt.NDArray[np.float32]:
        """float32 [tokens, shapes.SIZE]."""
        return shapes.read(self.text, self.offsets, self.continues)


class View(Struct, frozen=True):
    """A text as one tier sees it.

    Attributes:
        tier: which.
        page: the text.
        mean: float32 [dimension].
        focus: float32 [dimension]; None at tier 0.
        hidden: float32 [tokens, dimension], special tokens excluded; None at tier 0.
    """

    tier: int
    page: Page
    mean: npt.NDArray[np.float32]
    focus: npt.NDArray[np.float32] | None
    hidden: npt.NDArray[np.float32] | None


class Linear:
    """(W x + b) / T, and how far to trust it."""

    def __init__(self, reading: Reading) -> None:
        self._weights = np.asarray(reading.weights, dtype=np.float64).T / reading.temperature
        self._bias = np.asarray(reading.bias, dtype=np.float64) / reading.temperature
        trust = reading.trust
        self._trust = (np.asarray(trust.weights, dtype=np.float64), trust.bias) if trust else None
        self.exit_above = reading.exit_above
        self.exit_below = reading.exit_below

    @property
    def may_exit(self) -> bool:
        """Whether this tier ever answers, unless it is the last."""
        return self.exit_above is not None or self.exit_below is not None

    def softmax(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return probabilities, float64 [..., rows], of x, float64 [..., width]."""
        logits = self.logits(x)
        exponentials: npt.NDArray[np.float64] = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return probabilities

    def logits(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return float64 [..., rows]."""
        logits: npt.NDArray[np.float64] = x @ self._weights + self._bias
        return logits

    def trust(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
        """Return the probability that the last tier agrees, float64 [...]; None where the head has no such thing."""
        if self._trust is None:
            return None
        weights, bias = self._trust
        return sigmoid(x @ weights + bias)


class Head(ABC):
    """One head; safe to share between threads.

    Args:
        file: checked by `head_file.read`.

    Attributes:
        file: as read.
    """

    def __init__(self, file: HeadFile) -> None:
        self.file = file
        self.linears = tuple(Linear(reading) if reading else None for reading in file.readings)

    def read(self, view: View, *, final: bool) -> HeadAnswer | None:
        """Answer from one tier.

        Args:
            view: what the tier sees.
            final: whether there is no tier after it, or none shall be asked.

        Returns:
            The answer; None where the tier cannot read, or is not sure enough and not the last.
        """
        linear = self.linears[view.tier]
        if linear is None or not (final or linear.may_exit):
            return None
        answer, confidence = self.judge(view, linear, final=final)
        above, below = linear.exit_above, linear.exit_below
        if final or (above is not None and confidence >= above) or (below is not None and confidence <= below):
            return answer
        return None

    @abstractmethod
    def judge(self, view: View, linear: Linear, *, final: bool) -> tuple[HeadAnswer, float]:
        """Return the answer, and the confidence that is compared with the exits, in [0, 1].

        Where it is not `final` and not confident enough, the answer is not heard and may be anything.
        """

    @abstractmethod
    def abstain(self) -> HeadAnswer:
        """Return the answer where there was nothing to read."""

    def _vector(self, view: View) -> npt.NDArray[np.float64]:
        scaled = scale(self.file.surface, view.page.surface) if self.file.surface else None
        return vector(self.file.inputs, view.mean, view.focus, scaled)


class ChoiceHead(Head):
    """softmax((W x + b) / T) over the labels."""

    def judge(self, view: View, linear: Linear, *, final: bool) -> tuple[HeadAnswer, float]:  # noqa: ARG002 - asked alike
        """Return the classification and the winner's probability."""
        answer = self._answer(linear.softmax(self._vector(view)).tolist())
        return answer, answer.confidence

    def abstain(self) -> Classification:
        """Give every label the same probability."""
        return self._answer([1.0 / len(self.file.labels)] * len(self.file.labels))

    def _answer(self, probabilities: list[float]) -> Classification:
        probs = dict(zip(self.file.labels, probabilities, strict=True))
        label = max(probs, key=probs.__getitem__)
        return Classification(label=label, confidence=probs[label], probs=probs)


class FlagHead(Head):
    """sigmoid((w x + b) / T), raised at the threshold."""

    def judge(self, view: View, linear: Linear, *, final: bool) -> tuple[HeadAnswer, float]:  # noqa: ARG002 - asked alike
        """Return the flag and its probability."""
        p = float(sigmoid(linear.logits(self._vector(view))[0]))
        return Flag(p, raised=self.file.threshold is not None and p >= self.file.threshold), p

    def abstain(self) -> Flag:
        """Say neither yes nor no, and raise nothing."""
        return Flag(0.5, raised=False)


class PairHead(Head):
    """Probabilities that both, the strong, the weak or neither model answers rightly, put together."""

    def judge(self, view: View, linear: Linear, *, final: bool) -> tuple[HeadAnswer, float]:  # noqa: ARG002 - asked alike
        """Return the pair and how far to trust it."""
        x = self._vector(view)
        both, only_strong, only_weak, _ = linear.softmax(x).tolist()
        trust = linear.trust(x)
        return _pair(both + only_strong, both + only_weak), 0.0 if trust is None else float(trust)

    def abstain(self) -> Pair:
        """Call it even."""
        return _pair(0.5, 0.5)


def vector(
    inputs: Sequence[str],
    mean: npt.NDArray[np.float32],
    focus: npt.NDArray[np.float32] | None,
    surface: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.float64]:
    """Put a head's inputs together, for one text or for many.

    Args:
        inputs: which, in order.
        mean: float32 [..., dimension].
        focus: float32 [..., dimension]; None at tier 0, where it is left out.
        surface: scaled, float64 [..., SIZE]; None where the head does not read it.

    Returns:
        float64 [..., width].
    """
    parts = {"mean": mean, "focus": focus, "surface": surface}
    return np.concatenate([part for name in inputs if (part := parts[name]) is not None], axis=-1, dtype=np.float64)


def scale(scale: Scale, surface: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Bring surface features, float64 [..., SIZE], to the size of vectors."""
    scaled = (surface - np.asarray(scale.mean)) / np.asarray(scale.deviation)
    clipped: npt.NDArray[np.float64] = np.clip(scaled, -_CUT, _CUT) * _SURFACE_WEIGHT
    return clipped


def sigmoid(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return 1 / (1 + exp(-logits)), without overflow."""
    result: npt.NDArray[np.float64] = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return result


def _pair(strong: float, weak: float) -> Pair:
    return Pair(strong, weak, (1.0 + strong - weak) / 2.0)
