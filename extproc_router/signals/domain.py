"""What field of knowledge the prompt belongs to, as the encoder's domain head reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from extproc_router.types import Classification, Signal

if TYPE_CHECKING:
    from extproc_router.types import Encoding

NAME = "domain"


def read(encoding: Encoding) -> Signal:
    """Return the winning label and its calibrated probability."""
    answer = cast("Classification", encoding.heads[NAME])  # an artefact where it is anything else does not load
    return Signal(NAME, answer.label, answer.confidence)
