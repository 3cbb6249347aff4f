"""Whether the client waits for server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import FLAG, Plain, flag

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources


class Options(Section):
    """Streaming."""

    kind: Annotated[Literal["stream"], Field(description="a flag: the answer is streamed")]


def build(name: str, _options: Options, _: Resources) -> Reader:
    """Build the signal: a flag."""
    return Plain(name, Cost.FACT, lambda subject: flag(name, raised=subject.request.stream), known=FLAG)
