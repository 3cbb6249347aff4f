"""The edits that make a request's body for one model or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router import dialects
from extproc_router.candidates import Change
from extproc_router.policy import engine

if TYPE_CHECKING:
    from extproc_router.candidates import Candidate
    from extproc_router.dialects import Edit
    from extproc_router.policy.engine import Choice
    from extproc_router.router.compose import Opened


class Bodies:
    """What changes in one request's body, model by model.

    Args:
        opened: the request.
        choice: what its rule changes.
        redactions: edits that every body has.
    """

    def __init__(self, opened: Opened, choice: Choice, redactions: tuple[Edit, ...]) -> None:
        self._opened, self._choice, self._redactions = opened, choice, redactions
        self._think = engine.think(choice.edits, opened.readings.read)

    def edits(
        self, model: Candidate, *, judged: bool, billed: bool = False
    ) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
        """Return the edits for a model, and in words what they change, redactions left out.

        Args:
            model: that gets the body.
            judged: whether its answer is judged, by log-probabilities, where the model can tell them.
            billed: whether its cost is told: a stream then ends with its usage.
        """
        edits = self._choice.edits
        change = Change(
            model=model.served_name,
            think=self._think,
            reasoning=model.reasoning,
            override=edits.override,
            max_tokens=edits.max_tokens,
            system_prefix=edits.system_prefix,
            include_usage=edits.include_usage or billed,
            logprobs=judged and model.logprobs,
        )
        opened = self._opened
        made, changes = dialects.edit(opened.dialect, opened.body, opened.request, change)
        return (*made, *self._redactions), changes
