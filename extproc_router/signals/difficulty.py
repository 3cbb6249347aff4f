"""How much a strong model gains over a weak one on the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import head
from extproc_router.types import HeadAnswer, Pair, Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources

HEAD = "difficulty"


class Options(Section):
    """The strong model's win rate."""

    kind: Annotated[
        Literal["difficulty"],
        Field(
            description="the number is a strong model's win rate over a weak one, in [0, 1], ties counted half; there "
            "is none where there is nothing to read"
        ),
    ]


def build(name: str, _options: Options, resources: Resources) -> Reader:
    """Build the signal: a number.

    Raises:
        ValueError: the encoder has no such head.
    """
    head.require(HEAD, resources)

    def judge(answer: HeadAnswer) -> Signal:
        if not isinstance(answer, Pair):  # a head of this name that a team trained for something else
            raise TypeError(f"the head {HEAD!r} is no pair")
        return Signal(name, f"{answer.score:.2f}", 1.0, number=answer.score)

    # Neither easy nor hard: what compares the number leaves the choice to the default.
    nothing = Signal(name, "unknown", 0.0)
    return head.Head(name, HEAD, head.asked, judge, nothing, known=frozenset(), numeric=True)
