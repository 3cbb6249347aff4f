"""The verdict on a cascade's first answer: hard signs first, then the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.attempts import Verdict
from extproc_router.verifier import features, signs
from extproc_router.verifier.head import Head

if TYPE_CHECKING:
    from extproc_router.attempts import Heard, Verification
    from extproc_router.verifier.terms import Terms

CONFIDENCE = "confidence"
"""The sign of an answer that nothing hard speaks against, but that is too likely to be bad."""


class Judge:
    """Judges answers; holds no state between them.

    Args:
        terms: what they are judged by.
    """

    def __init__(self, terms: Terms) -> None:
        self._signs = tuple(signs.build(terms).items())
        self._head = Head(terms.weights)

    def judge(self, heard: Heard, asked: Verification, *, partial: bool = False) -> Verdict:
        """Judge an answer.

        Args:
            heard: what was heard of it.
            asked: what it must be, and how good.
            partial: whether more of it will come: it is judged by what can be known of its beginning.

        Returns:
            `good` is 0 where a hard sign speaks against it. `signs` are names of `config.verifier_schema.SignName`, or
            `CONFIDENCE` alone. `features` are as `features.of` tells them.
        """
        early = partial or not heard.complete
        known = features.of(heard, asked, early=early)
        against = tuple(name for name, sign in self._signs if sign(heard, asked, early))
        if against:
            return Verdict(0.0, accepted=False, signs=against, features=known)
        good = self._head.good(known)
        accepted = good >= asked.accept_at
        return Verdict(good, accepted=accepted, signs=() if accepted else (CONFIDENCE,), features=known)
