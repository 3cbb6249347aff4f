"""Whether the prompt takes step-by-step thought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import head

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources


class Options(Section):
    """Prompts that reward a model that thinks."""

    kind: Annotated[
        Literal["reasoning"],
        Field(description="a flag: the prompt takes step-by-step thought; the number is its probability"),
    ]
    threshold: head.Threshold = None


def build(name: str, options: Options, resources: Resources) -> Reader:
    """Build the signal: a flag and its probability.

    Raises:
        ValueError: the encoder has no such head.
    """
    return head.flag(name, "reasoning", head.asked, options.threshold, resources)
