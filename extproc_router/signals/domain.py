"""What field of knowledge the prompt belongs to, as the encoder's domain head reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import head
from extproc_router.types import Classification, HeadAnswer, Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources

NAME = "domain"


class Options(Section):
    """Fields of knowledge."""

    kind: Annotated[
        Literal["domain"],
        Field(description="the label is the field of knowledge, one of those that the encoder tells apart"),
    ]
    confidence_floor: Annotated[
        float | None,
        Field(
            ge=0, le=1, description="a label less sure than this decides nothing; default: the encoder artefact's own"
        ),
    ] = None


def build(name: str, options: Options, resources: Resources) -> Reader:
    """Build the signal: one label; none where there is nothing to read.

    Raises:
        ValueError: the encoder has no such head.
    """
    head.require(NAME, resources)
    floor = resources.confidence_floor if options.confidence_floor is None else options.confidence_floor
    return head.Head(
        name,
        NAME,
        head.asked,
        lambda answer: _signal(name, answer),
        Signal(name, "unknown", 0.0),
        known=frozenset(resources.domains),
        floor=floor,
    )


def _signal(name: str, answer: HeadAnswer) -> Signal:
    if not isinstance(answer, Classification):  # an artefact where it is anything else does not load
        raise TypeError(f"the head {NAME!r} is no choice")
    return Signal(name, answer.label, answer.confidence, frozenset({answer.label}))
