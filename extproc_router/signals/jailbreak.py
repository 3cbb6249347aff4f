"""Whether somebody tries to turn the model against its operator: jailbreaks, injected instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals import head
from extproc_router.signals.texts import text_of

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
    of: Annotated[
        Literal["incoming", "everything"],
        Field(
            description="`incoming`: turns that neither the operator nor the model wrote, going by their roles; "
            "`everything`: all turns, for where clients may not be trusted to name roles"
        ),
    ] = "incoming"


def build(name: str, options: Options, resources: Resources) -> Reader:
    """Build the signal: a flag and its probability.

    Raises:
        ValueError: the encoder has no such head.
    """
    return head.flag(name, "jailbreak", lambda subject: text_of(subject, options.of), options.threshold, resources)
