"""How far a conversation has come, and which application holds it."""

from __future__ import annotations

import hashlib
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from extproc_router.options import Section
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, shown
from extproc_router.signals.texts import utf8
from extproc_router.types import Signal

if TYPE_CHECKING:
    from extproc_router.signals.base import Reader, Resources
    from extproc_router.types import Request, Turn

_OPERATORS_ROLES = frozenset({"system", "developer"})
_DIGITS = 12


class Options(Section):
    """Turns and system prompt."""

    kind: Annotated[
        Literal["conversation"],
        Field(
            description="the number is how many turns there are, system prompts not counted; the label is the first 12 "
            "hex digits of the SHA-256 of the system prompt, by which applications can be told apart"
        ),
    ]


def build(name: str, _options: Options, _: Resources) -> Reader:
    """Build the signal: a number, and a label where there is a system prompt."""

    def read(request: Request) -> Signal:
        number = float(sum(not _is_operators(turn) for turn in request.turns))
        digest = system_hash(request)
        label = f"system prompt {digest}" if digest else shown(())
        return Signal(name, label, 1.0, frozenset({digest} if digest else ()), number)

    return Plain(name, Cost.TEXT, lambda subject: read(subject.request), known=None, numeric=True)


def system_hash(request: Request) -> str:
    """Return 12 hex digits of the SHA-256 of the system prompt's UTF-8; empty where there is none.

    The system prompt is what the operator says before anybody else, its turns joined by newlines: what an agent adds
    in the middle of a conversation does not make it another one.
    """
    prompt = "\n".join(turn.text for turn in takewhile(_is_operators, request.turns) if turn.text)
    return hashlib.sha256(utf8(prompt)).hexdigest()[:_DIGITS] if prompt else ""


def _is_operators(turn: Turn) -> bool:
    return turn.role in _OPERATORS_ROLES
