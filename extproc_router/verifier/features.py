"""The numbers that an answer is judged by."""

from __future__ import annotations

from math import isnan, log, log1p
from typing import TYPE_CHECKING

from extproc_router.verifier import hedges

if TYPE_CHECKING:
    from extproc_router.attempts import Heard, Verification

READ = 16_384
"""Characters of an answer that are read: a longer one is judged by its beginning."""
FLOOR = -20.0
"""Less likely tokens count as this: servers write -9999 for a probability that they round to 0."""
LOW = log(0.2)
"""Tokens below it are low."""
_LEAST_WORDS = 50  # a short answer with one hedge is no answer full of them


def of(heard: Heard, asked: Verification, *, early: bool) -> dict[str, float]:
    """Return name -> number of what is known.

    * `mean_logprob`, `min_logprob`: nats, in [-20, 0]; `low_share`: of tokens below probability 0.2, in [0, 1];
    * `hedges`: stated doubts in 100 words, >= 0; answers below 50 words count as 50;
    * `length`: ln(1 + words), as blanks divide them; not known `early`;
    * `difficulty`: of the prompt, in [0, 1].

    Args:
        heard: the answer.
        asked: what was asked.
        early: whether this is the answer's beginning only.
    """
    known = logprobs(heard.tokens) if heard.tokens else {}
    text = heard.text[:READ]
    words = len(text.split())
    known["hedges"] = 100.0 * hedges.count(text) / max(words, _LEAST_WORDS)
    if not early:
        known["length"] = log1p(words)
    if asked.difficulty is not None:
        known["difficulty"] = asked.difficulty
    return known


def logprobs(tokens: tuple[float, ...]) -> dict[str, float]:
    """Summarise log-probabilities, at least one; what is no number counts as `FLOOR`."""
    total = sum(tokens)
    if not FLOOR <= min(tokens) <= max(tokens) <= 0.0 or isnan(total):
        tokens = tuple(min(token, 0.0) if token >= FLOOR else FLOOR for token in tokens)
        total = sum(tokens)
    return {
        "mean_logprob": total / len(tokens),
        "min_logprob": min(tokens),
        "low_share": sum(map(LOW.__gt__, tokens)) / len(tokens),
    }
