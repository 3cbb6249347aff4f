"""How long the prompt is, in tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import tokens
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, count

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources


class Options(Section):
    """What the user wants now, counted."""

    kind: Annotated[
        Literal["length"],
        Field(description="estimated tokens of the user's last turn, with the one before where it is short"),
    ]


def build(name: str, _options: Options, _: Resources) -> Reader:
    """Build the signal: a number, 0 where there is no text."""
    return Plain(
        name,
        Cost.TEXT,
        lambda subject: count(name, tokens.estimate(subject.prompt)),
        known=frozenset(),
        numeric=True,
    )
