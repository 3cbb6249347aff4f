"""Which part of a conversation stands for what the user wants now, and which may hold an attack."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extproc_router.types import Request

# A follow-up shorter than this ("and in Rust?", "why?") says little without what it follows.
_SHORT_FOLLOW_UP = 40

# System prompts describe the application, and assistants' and tools' turns are answers: the user's turns ask.
_ASKING_ROLES = frozenset({"user", "human"})
# The operator writes the system prompt and the model its answers; an attack comes with anything else.
_VOUCHED_ROLES = frozenset({"system", "developer", "assistant"})


def text_of(request: Request) -> str:
    """Return the user's last turn, after the one before it where the last is short.

    A conversation without a user's turn is represented by its last turn that has text.

    Returns:
        Text, stripped; empty where the request has none.
    """
    asked = asked_in(request)
    if not asked:
        return next((text for turn in reversed(request.turns) if (text := turn.text.strip())), "")
    last = asked[-1]
    if len(last) < _SHORT_FOLLOW_UP and len(asked) > 1:
        return f"{asked[-2]}\n{last}"
    return last


def incoming_of(request: Request) -> str:
    """Return every turn that neither the operator nor the model wrote, oldest first, one a line or more.

    An attack counts wherever it stands: in an earlier turn, in what a tool brought back.

    Returns:
        Text, stripped; empty where the request has none.
    """
    return "\n".join(incoming_in(request))


def asked_in(request: Request) -> tuple[str, ...]:
    """Return the text of each of the user's turns that has any, oldest first, stripped."""
    return tuple(text for turn in request.turns if turn.role in _ASKING_ROLES and (text := turn.text.strip()))


def incoming_in(request: Request) -> tuple[str, ...]:
    """Return the text of each turn that neither the operator nor the model wrote, oldest first, stripped."""
    return tuple(text for turn in request.turns if turn.role not in _VOUCHED_ROLES and (text := turn.text.strip()))
