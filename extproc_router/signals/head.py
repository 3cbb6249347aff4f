"""Signals that one head of the encoder answers, from one text."""

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
        text: what it reads.
        judge: its answer -> the signal.
        nothing: the signal where there was nothing to read.
    """

    name: str
    head: str
    text: Callable[[Subject], str]
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
        """One head about one text."""
        text = self.text(subject)
        return (Ask(text, frozenset({self.head})),) if text else ()

    def read(self, subject: Subject, answers: Answers) -> Signal:
        """Read the head's answer.

        Raises:
            ShedError: the encoder did not give it.
        """
        text = self.text(subject)
        if not text:
            return self.nothing
        encoding = answers.encoding(text)
        return self.nothing if encoding.abstained else self.judge(encoding.heads[self.head])


def require(head: str, resources: Resources) -> None:
    """Make sure that there is such a head.

    Raises:
        ValueError: there is none.
    """
    if head not in resources.heads:
        has = ", ".join(sorted(resources.heads)) or "none"
        raise ValueError(f"the encoder artefact has no head {head!r}; it has {has}")


def flag(name: str, head: str, text: Callable[[Subject], str], threshold: float | None, resources: Resources) -> Head:
    """Build the signal of a yes-or-no head.

    Args:
        name: of the signal.
        head: which is asked.
        text: what it reads.
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
    return Head(name, head, text, judge, nothing, known=FLAG, numeric=True)
