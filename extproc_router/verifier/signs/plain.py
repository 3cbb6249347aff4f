"""Signs that are read off an answer without looking into its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extproc_router.attempts import Heard, Verification


def broken(heard: Heard, _asked: Verification, _early: bool) -> bool:  # noqa: FBT001 - every sign is called alike
    """Whether it is no answer of its API at all."""
    return heard.broken


def empty(heard: Heard, _asked: Verification, early: bool) -> bool:  # noqa: FBT001 - likewise
    """Whether it has ended with blanks alone: no text, no tool call, no refusal."""
    return not (early or heard.calls or heard.refusal) and not heard.text.strip()


def truncated(heard: Heard, asked: Verification, early: bool) -> bool:  # noqa: FBT001 - likewise
    """Whether it ran out of tokens where the client had set no bound."""
    return not early and heard.finish == "length" and not asked.bounded
