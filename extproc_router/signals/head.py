"""Signals that one head of the encoder answers, from one text or from several."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

from msgspec import Struct
from pydantic import Field

from extproc_router.signals.base import YES, Cost, Subject
from extproc_router.signals.plain import FLAG
from extproc_router.types import Ask, Flag, HeadAnswer, Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Answers, Resources
    from extproc_router.types import Question

Threshold: TypeAlias = Annotated[
    float | None,
    Field(gt=0, lt=1, description="probability from which the flag is raised; default: the encoder artefact's own"),
]


class Head(Struct, frozen=True):
    """The reader of such a signal; members as in `base.Reader`.

    Attributes:
        head: which is asked.
        texts: what it reads, each by itself; none is empty. Of several signals the one with a label counts, then the
            one with the highest number.
        judge: its answer -> the signal.
        nothing: the signal where there was nothing to read.
    """

    name: str
    head: str
    texts: Callable[[Subject], tuple[str, ...]]
    judge: Callable[[HeadAnswer], Signal]
    nothing: Signal
    known: frozenset[str] | None
    numeric: bool = False
    floor: float = 0.0

    @property
    def cost(self) -> Cost:
        """The encoder is asked."""
        return Cost.ENCODER

    def asks(self, subject: Subject) -> tuple[Ask | Question, ...]:
        """One head about each text."""
        return tuple(Ask(text, frozenset({self.head})) for text in self.texts(subject))

    def read(self, subject: Subject, answers: Answers) -> Signal:
        """Read the head's answers.

        Raises:
            ShedError: the encoder did not give one of them.
        """
        encodings = [answers.encoding(text) for text in self.texts(subject)]
        signals = [self.judge(encoding.heads[self.head]) for encoding in encodings if not encoding.abstained]
        return max(signals, key=_weight, default=self.nothing)


def asked(subject: Subject) -> tuple[str, ...]:
    """Return what the user wants now, as the one text; nothing where that is empty."""
    return (subject.prompt,) if subject.prompt else ()


def require(head: str, resources: Resources) -> None:
    """Make sure that there is such a head.

    Raises:
        ValueError: there is none.
    """
    if head not in resources.heads:
        has = ", ".join(sorted(resources.heads)) or "none"
        raise ValueError(f"the encoder artefact has no head {head!r}; it has {has}")


def flag(
    name: str,
    head: str,
    texts: Callable[[Subject], tuple[str, ...]],
    threshold: float | None,
    resources: Resources,
) -> Head:
    """Build the signal of a yes-or-no head.

    Args:
        name: of the signal.
        head: which is asked.
        texts: what it reads, as in `Head`: one that raises the flag is enough.
        threshold: in place of the artefact's own; None for that.
        resources: has to have the head.

    Raises:
        ValueError: there is no such head.
    """
    require(head, resources)

    def judge(answer: HeadAnswer) -> Signal:
        if not isinstance(answer, Flag):  # a head of this name that a team trained for something else
            raise TypeError(f"the head {head!r} is no flag")
        if answer.raised if threshold is None else answer.p >= threshold:
            return Signal(name, YES, answer.p, FLAG, answer.p)
        return Signal(name, "no", 1.0 - answer.p, number=answer.p)

    nothing = Signal(name, "no", 0.0, number=0.0)
    return Head(name, head, texts, judge, nothing, known=FLAG, numeric=True)


def _weight(signal: Signal) -> tuple[bool, float]:
    return bool(signal.labels), signal.number or 0.0
