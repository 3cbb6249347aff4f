"""What the request carries beside text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, fact
from extproc_router.types import Modality

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources

_KNOWN = frozenset(modality.value for modality in Modality)


class Options(Section):
    """Images, audio and files."""

    kind: Annotated[
        Literal["modality"], Field(description="labels `image`, `audio`, `file`: what there is beside text")
    ]


def build(name: str, _options: Options, _: Resources) -> Reader:
    """Build the signal: any of three labels."""
    return Plain(
        name,
        Cost.FACT,
        lambda subject: fact(name, (modality.value for modality in subject.request.modalities)),
        known=_KNOWN,
    )
