"""Whether somebody waits for the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, fact

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources, Subject

HEADER = "x-latency-class"
INTERACTIVE, BATCH = "interactive", "batch"
_KNOWN = frozenset({INTERACTIVE, BATCH})
# OpenAI's cheaper tiers, whose answers may take minutes.
_BATCH_TIERS = frozenset({"flex", "batch"})


class Options(Section):
    """Interactive or batch."""

    kind: Annotated[
        Literal["latency_class"],
        Field(
            description=f"`interactive` or `batch`: what the header `{HEADER}` says, else `batch` where the body's "
            "`service_tier` is `flex` or `batch`, else `interactive`"
        ),
    ]


def build(name: str, _options: Options, _: Resources) -> Reader:
    """Build the signal: one of two labels."""
    return Plain(name, Cost.FACT, lambda subject: fact(name, {_class(subject)}), known=_KNOWN)


def _class(subject: Subject) -> str:
    said = subject.headers.get(HEADER, "").strip().lower()
    if said in _KNOWN:
        return said
    return BATCH if subject.request.service_tier in _BATCH_TIERS else INTERACTIVE
