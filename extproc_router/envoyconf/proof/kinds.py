"""The kinds of requests that Envoy's routes tell apart, and what each of them may reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.proof.mutations import INTERNAL
from extproc_router.envoyconf.proof.values import ABSENT, ANYTHING, Ranks, Value
from extproc_router.policy import privacy
from extproc_router.router import CASCADE, CHAIN_HEADER, CLUSTER_HEADER, DECISION_HEADER, FALLBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.proof.duty import Duty
    from extproc_router.envoyconf.proof.hosts import Host
    from extproc_router.envoyconf.proof.mutations import Early

_MISSPELT = "a-misspelt-tier"


class Kind(Struct, frozen=True):
    """All requests that the router was silent about and that ask for one rank by their header.

    Attributes:
        rank: that rank.
        values: what is known of the headers that routes go by.
        examples: headers as clients write them; None for an absent one.
    """

    rank: int
    values: Mapping[str, Value]
    examples: tuple[str | None, ...]

    def named(self, host: Host, tiers: tuple[str, ...]) -> Iterator[str]:
        """Yield the values with which the routes of a host compare that are of this kind, too."""
        if self.values[privacy.HEADER].present:
            wanted = dict.fromkeys(test.wanted for test in host.comparisons(privacy.HEADER))
            yield from (text for text in wanted if isinstance(text, str) and privacy.tier_of(text, tiers) == self.rank)

    def shown(self, example: str | None) -> Kind:
        """Return the kind of the requests that have just this header."""
        value = ABSENT if example is None else Value(present=True, text=example)
        return Kind(self.rank, {**self.values, privacy.HEADER: value}, (example,))


def silent(duty: Duty, early: Early) -> Iterator[Kind]:
    """Yield the kinds of requests that the router said nothing about, those that ask for nothing first.

    Args:
        duty: what is demanded.
        early: what stands in their headers.
    """
    internal = {header: ANYTHING if header in early.forged else ABSENT for header in INTERNAL}
    highest = len(duty.tiers) - 1
    asked = [highest] if early.marked else [*([0] if duty.guards else []), *range(highest, 0, -1)]
    if 0 in asked:
        yield Kind(0, {**internal, privacy.HEADER: ABSENT}, (None,))
    for rank in asked:
        ranks = Ranks(rank, duty.tiers) if early.joined else None
        value = Value(present=True, ranks=ranks)
        yield Kind(rank, {**internal, privacy.HEADER: value}, tuple(_examples(rank, duty.tiers)))


def decided(cluster: str, chain: Value = ABSENT) -> dict[str, Value]:
    """Return what is known of the headers of requests for which the router chose a cluster, whatever their tier.

    Args:
        cluster: that cluster.
        chain: one of `chains`.
    """
    return {
        CLUSTER_HEADER: Value(present=True, text=cluster),
        # It does not matter, so that nothing depends on whether the router may write it.
        DECISION_HEADER: ANYTHING,
        CHAIN_HEADER: chain,
        # A request's content may raise its tier, whatever its header says.
        privacy.HEADER: ANYTHING,
    }


def chains(early: Early) -> tuple[Value, ...]:
    """Return what may stand in the header of a decided request that says how its chain is walked.

    Nothing, or a client's word: where the router wrote none, or may write none. Else its own.
    """
    own = (Value(present=True, text=word) for word in (FALLBACK, CASCADE))
    return (ANYTHING if CHAIN_HEADER in early.forged else ABSENT, *own)


def asked() -> dict[str, Value]:
    """Return what is known of the headers of what the router itself sends, for a language model to judge."""
    return dict.fromkeys((*INTERNAL, privacy.HEADER), ABSENT)


def _examples(rank: int, tiers: tuple[str, ...]) -> Iterator[str]:
    """Yield ways to ask for a rank, the plainest first."""
    name, lowest = tiers[rank], tiers[0]
    found = [name, name.upper(), name.capitalize(), name.lower()]
    if rank:
        found += [f"{lowest},{name}", f"{name},{lowest}", f"{lowest}, {name.upper()}", f"{name},{name}"]
    if rank == len(tiers) - 1:
        found += [_MISSPELT, f"{lowest},{_MISSPELT}", ""]
    yield from dict.fromkeys(header for header in found if privacy.tier_of(header, tiers) == rank)
