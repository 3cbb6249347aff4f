"""`signals`, as they are written: the options of each kind, and a name."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, StringConstraints, Tag, create_model

from extproc_router import signals

if TYPE_CHECKING:
    from extproc_router.options import Section

# A member of `when`, and a metric label.
SignalName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


def _kind(value: object) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"[{kind}]"


def _named(kind: str) -> type[Section]:
    options = signals.KINDS[kind].options
    name: Any = (Annotated[SignalName | None, Field(description="as rules write it; default: its kind")], None)
    title = f"{kind.title().replace('_', '')}Signal"
    return create_model(title, __base__=options, __doc__=options.__doc__, name=name)


WRITTEN = {kind: _named(kind) for kind in signals.KINDS}

if TYPE_CHECKING:
    WrittenSignal: TypeAlias = Any
else:
    _variants = [Annotated[written, Tag(f"[{kind}]")] for kind, written in WRITTEN.items()]
    WrittenSignal = Annotated[reduce(or_, _variants), Discriminator(_kind)]
