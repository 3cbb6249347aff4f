"""Which models a request may reach at all.

Tiers are ranks in an order that the config names, 0 the lowest. A model cleared for a rank may see that rank and every
one below it. Whatever chooses later chooses from what is left here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate

# Clients or gateways set it to raise a request's tier; nothing lowers one.
HEADER = "x-privacy-tier"


def tier_of(header: str | None, tiers: Sequence[str]) -> int:
    """Return the rank that a header asks for.

    Args:
        header: value of `x-privacy-tier`, repeated headers joined with commas; None where absent.
        tiers: names, lowest first.

    Returns:
        The highest rank named. A name that the config does not know may be a misspelt one: it counts as the highest.
    """
    if header is None:
        return 0
    ranks = {tier.casefold(): rank for rank, tier in enumerate(tiers)}
    highest = len(tiers) - 1
    return max(ranks.get(name.strip().casefold(), highest) for name in header.split(","))


def cleared(candidates: Sequence[Candidate], tier: int) -> tuple[Candidate, ...]:
    """Return the candidates that may see a request of this rank, in their order."""
    return tuple(candidate for candidate in candidates if candidate.clearance >= tier)
