"""What a request header says: tenant, tier, agent, ticket tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from extproc_router.options import HeaderName  # noqa: TC001 - pydantic evaluates it
from extproc_router.signals import values
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources, Subject
    from extproc_router.types import Signal


class Options(values.ValueOptions):
    """A header, whose values are labels."""

    kind: Annotated[
        Literal["header"],
        Field(description="the value of a header is the label; each of several, repeated or joined by commas, is one"),
    ]
    header: Annotated[
        HeaderName,
        Field(
            description="its name, in lower case. Clients write headers: one that decides anything has to be set, or "
            "removed, by the gateway",
            examples=["x-tenant", "x-agent-role"],
        ),
    ]

    @field_validator("values")
    @classmethod
    def _can_match(cls, values: list[str] | None) -> list[str] | None:
        for value in values or ():
            if "," in value or value != value.strip():
                raise ValueError(f"{value!r} can never match: commas and the blanks around them part a header's values")
        return values


def build(name: str, options: Options, _: Resources) -> Reader:
    """Build the signal: a label a value."""
    compiled = values.compiled(name, options)

    def look(subject: Subject) -> Signal:
        given = subject.headers.get(options.header, "")
        return compiled.signal(part.strip() for part in given.split(","))

    return Plain(name, Cost.FACT, look, known=compiled.known)
