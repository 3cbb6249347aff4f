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
    behind them may come others. A cascade puts its first model in once more, as the third attempt.

    Attributes:
        rule: name of the rule; `default` where none chooses, `named` where the client does.
        candidates: those that may stand anywhere, in the rule's order.
        last: those that may stand behind at least one of them, in their order: the declared default and the models of
            `fallback`, less those that are among them or not cleared.
        again: whether one of the candidates may be tried once more.
    """

    rule: str
    candidates: tuple[Candidate, ...]
    last: tuple[Candidate, ...] = ()
    again: bool = False


def pools(policy: Policy, tier: int) -> Iterator[Pool]:
    """Yield all from which the engine may choose for requests of a rank, and more: rules that never match count too."""
    every = cleared(tuple(policy.candidates.values()), tier)
    default = [policy.candidates[policy.default]]
    fallback = _without([policy.candidates[name] for name in policy.fallback.models], default)
    last = cleared((*default, *fallback), tier)
    for route in policy.routes:
        left = () if route.shadow else cleared(route.pool, tier)
        if left:
            yield Pool(route.name, left, _without(last, left), again=route.cascade is not None)
    for candidate in every:
        # The default itself, or where it may not or cannot serve, the first that may and can.
        yield Pool(DEFAULT, (candidate,), _without(last, (candidate, *default)))
    for candidate in every:
        yield Pool(NAMED, (candidate,))


def _without(candidates: Sequence[Candidate], others: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return tuple(candidate for candidate in candidates if candidate not in others)


def emissions(policy: Policy, tier: int) -> Iterator[tuple[str, int, Candidate]]:
    """Yield whatever requests of a rank may be sent to, and more: rule, number of the attempt, model.

    Of shadow rules, nothing is ever sent anywhere.
    """
    for pool in pools(policy, tier):
        most, ranked = policy.fallback.attempts + pool.again, len(pool.candidates) + pool.again
        for candidate in pool.candidates:
            yield from ((pool.rule, attempt, candidate) for attempt in range(1, min(most, ranked) + 1))
        for place, candidate in enumerate(pool.last, 1):
            yield from ((pool.rule, attempt, candidate) for attempt in range(2, min(most, ranked + place) + 1))
