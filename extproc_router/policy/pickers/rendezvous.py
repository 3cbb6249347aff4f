"""Rendezvous hashing: each key ranks all models, and the ranking of two never depends on a third.

D. G. Thaler and C. V. Ravishankar, Using name-based mappings to increase hit rates, IEEE/ACM ToN 6(1), 1998; weights
after C. Schindelhauer and G. Schomaker, Weighted distributed hash tables, SPAA 2005: with h uniform in (0, 1), the
largest -w / ln h falls to a model with a probability proportional to its w. Whoever's weight grows keeps every key that
it had, and where the others keep their proportions, no key moves but to it.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from extproc_router.policy.keys import share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from extproc_router.candidates import Candidate


def ranked(
    candidates: Iterable[Candidate], key: str, weights: Mapping[str, float], salt: str = ""
) -> tuple[Candidate, ...]:
    """Rank models for a key.

    Args:
        candidates: in any order.
        key: see `policy.keys`.
        weights: name -> a positive number; 1 where a name is missing.
        salt: under another one, the same keys fall elsewhere.
    """

    def height(candidate: Candidate) -> float:
        return -weights.get(candidate.name, 1.0) / log(share(key, f"{salt}\n{candidate.name}"))

    return tuple(sorted(candidates, key=height, reverse=True))
