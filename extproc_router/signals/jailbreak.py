"""Whether somebody tries to turn the model against its operator: jailbreaks, injected instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import head

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources


class Options(Section):
    """Attacks on the model, in any turn that neither the operator nor the model wrote."""

    kind: Annotated[
        Literal["jailbreak"],
        Field(
            description="a flag: an attack on the model, in any turn that comes from outside; the number is its "
            "probability"
        ),
    ]
    threshold: head.Threshold = None


def build(name: str, options: Options, resources: Resources) -> Reader:
    """Build the signal: a flag and its probability.

    Raises:
        ValueError: the encoder has no such head.
    """
    return head.flag(name, "jailbreak", lambda subject: subject.incoming, options.threshold, resources)
