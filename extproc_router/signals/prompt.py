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
    turns = [turn for turn in request.turns if turn.text.strip()]
    asked = [turn.text.strip() for turn in turns if turn.role in _ASKING_ROLES]
    if not asked:
        return turns[-1].text.strip() if turns else ""
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
    turns = (turn.text.strip() for turn in request.turns if turn.role not in _VOUCHED_ROLES)
    return "\n".join(text for text in turns if text)
