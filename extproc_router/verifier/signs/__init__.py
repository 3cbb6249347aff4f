"""Hard signs: what makes an answer doubtful whatever its numbers say. Each is a function of one opinion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from extproc_router.attempts import Heard, Verification
from extproc_router.verifier.signs import plain, refusal, structure, tool_call

if TYPE_CHECKING:
    from extproc_router.verifier.terms import Terms

Sign: TypeAlias = Callable[[Heard, Verification, bool], bool]
"""(the answer, what was asked, whether this is its beginning only) -> whether it speaks against the answer."""


def build(terms: Terms) -> dict[str, Sign]:
    """Return name -> sign of those that count."""
    every: dict[str, Sign] = {
        "broken": plain.broken,
        "refusal": refusal.Refusal(terms.refusal_phrases),
        "empty": plain.empty,
        "truncated": plain.truncated,
        "json": structure.broken_promise,
        "tool_call": tool_call.unreadable,
    }
    return {name: sign for name, sign in every.items() if name not in terms.ignore}
