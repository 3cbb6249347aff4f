"""Which models a request may reach at all.

Tiers are ranks in an order that the config names, 0 the lowest. A model cleared for a rank may see that rank and every
one below it. Whatever chooses later chooses from what is left here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.candidates import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extproc_router.policy.engine import Policy

# Clients or gateways set it to raise a request's tier; nothing lowers one.
HEADER = "x-privacy-tier"

DEFAULT, NAMED = "default", "named"
"""What stands in a rule's place where no rule chose, and where the client did."""


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


class Pool(Struct, frozen=True):
    """What one way of choosing may answer for a tier.

    A chain is some of the models in some order, for strategies, stickiness and capabilities reorder and leave out;
    behind them may come one more.

    Attributes:
        rule: name of the rule; `default` where none chooses, `named` where the client does.
        candidates: those that may stand anywhere, in the rule's order.
        last: the declared default, which may stand behind at least one of them; None where it is among them, or is not
            cleared.
    """

    rule: str
    candidates: tuple[Candidate, ...]
    last: Candidate | None = None


def pools(policy: Policy, tier: int) -> Iterator[Pool]:
    """Yield all from which the engine may choose for requests of a rank, and more: rules that never match count too."""
    every = cleared(tuple(policy.candidates.values()), tier)
    default = next((candidate for candidate in every if candidate.name == policy.default), None)
    for route in policy.routes:
        left = () if route.shadow else cleared(route.pool, tier)
        if left:
            yield Pool(route.name, left, None if default in left else default)
    if every:
        # The default itself, or where it may not or cannot serve, the first that may and can.
        one = tuple(Pool(DEFAULT, (candidate,)) for candidate in every)
        yield from one
        yield from (Pool(NAMED, pool.candidates) for pool in one)


def emissions(policy: Policy, tier: int) -> Iterator[tuple[str, int, Candidate]]:
    """Yield whatever the engine may answer for requests of a rank, and more: rule, number of the attempt, model.

    Of shadow rules, nothing is ever sent anywhere.
    """
    for pool in pools(policy, tier):
        attempts = range(1, len(pool.candidates) + 1)
        yield from ((pool.rule, attempt, candidate) for candidate in pool.candidates for attempt in attempts)
        if pool.last:
            yield from ((pool.rule, attempt + 1, pool.last) for attempt in attempts)
