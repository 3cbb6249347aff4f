"""What became of a request, in one word: where an answer went, or who stopped it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from extproc_router.types import Mutation, Reason

if TYPE_CHECKING:
    from extproc_router.types import Answer


class Outcome(StrEnum):
    """What became of it."""

    ROUTE = "route"  # it goes to a model
    BLOCK = "block"  # a safety rule answered with 403
    REFUSE = "refuse"  # a safety rule answered with a completion that declines
    UNCHECKED = "unchecked"  # a safety rule could not be decided: 503
    ERROR = "error"  # the router answered with another error
    PASS = "pass"  # it is not routed: it goes on as it is  # noqa: S105 - no password


_STOPS = {
    Reason.BLOCKED: Outcome.BLOCK,
    Reason.DECLINED: Outcome.REFUSE,
    Reason.UNCHECKED: Outcome.UNCHECKED,
}


def outcome(answer: Answer) -> Outcome:
    """Say what became of a request that a client posted."""
    if isinstance(answer.action, Mutation):
        return Outcome.ROUTE if answer.decision.model else Outcome.PASS
    return _STOPS.get(answer.decision.reason, Outcome.ERROR)
