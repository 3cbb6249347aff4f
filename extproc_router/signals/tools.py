"""Whether the conversation uses tools, and how far it got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, fact

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources
    from extproc_router.types import Request

DECLARED, CALLED, RESULTS = "declared", "called", "results"
# What tools brought back; `function` is the role of OpenAI's first function calls.
_RESULT_ROLES = frozenset({"tool", "function"})


class Options(Section):
    """Tools."""

    kind: Annotated[
        Literal["tools"],
        Field(
            description="labels `declared` (the request offers tools), `called` (a turn calls one), `results` (a turn "
            "holds what one brought back)"
        ),
    ]


def build(name: str, _options: Options, _: Resources) -> Reader:
    """Build the signal: any of three labels."""
    known = frozenset({DECLARED, CALLED, RESULTS})
    return Plain(name, Cost.FACT, lambda subject: fact(name, _labels(subject.request)), known=known)


def _labels(request: Request) -> set[str]:
    labels = {label for label, given in ((DECLARED, request.tools), (CALLED, request.called)) if given}
    if any(turn.role in _RESULT_ROLES for turn in request.turns):
        labels.add(RESULTS)
    return labels
