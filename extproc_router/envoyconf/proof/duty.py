"""What must not happen: which clusters are cleared for which requests, and which requests must not pass unread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.policy import privacy
from extproc_router.policy.rules import Action

if TYPE_CHECKING:
    from extproc_router.policy.engine import Policy

SEALING = (Action.BLOCK, Action.REFUSE, Action.REDACT)


class Source(Struct, frozen=True):
    """A way in which the policy comes to a cluster."""

    rule: str
    attempt: int


class Duty(Struct, frozen=True):
    """What the policy demands of Envoy.

    Attributes:
        tiers: names, lowest first.
        clearance: cluster -> rank of the highest tier for which every model on it is cleared.
        chosen: cluster -> rank of the highest tier for which the policy may choose a model there, and how.
        tried: the same of what a chain may try after its first model.
        rank: highest tier that a request has by its content; 0 where no rule restricts.
        restricts: name of the rule that gives it.
        seals: name of a rule that has to read every request before a server does; empty where there is none.
    """

    tiers: tuple[str, ...]
    clearance: Mapping[str, int]
    chosen: Mapping[str, tuple[int, Source]]
    tried: Mapping[str, tuple[int, Source]]
    rank: int
    restricts: str
    seals: str

    @property
    def empty(self) -> bool:
        """Whether there is nothing to prove."""
        return len(self.tiers) == 1 and not self.guards

    @property
    def guards(self) -> bool:
        """Whether a rule has to read every request."""
        return bool(self.seals or self.rank)

    def cleared(self, cluster: str, rank: int) -> bool:
        """Whether a request of a rank may reach a cluster; one of no model is cleared for the lowest alone."""
        return self.clearance.get(cluster, 0) >= rank


def of(policy: Policy) -> Duty:
    """Read it from a policy."""
    clearance: dict[str, int] = {}
    for candidate in policy.candidates.values():
        least = clearance.get(candidate.cluster, candidate.clearance)
        clearance[candidate.cluster] = min(least, candidate.clearance)
    guards = [rule for rule in policy.safeguards if not rule.shadow]
    restricting = max(
        (rule for rule in guards if rule.action is Action.RESTRICT), key=lambda rule: rule.tier, default=None
    )
    return Duty(
        tiers=policy.tiers,
        clearance=clearance,
        chosen=_chosen(policy),
        tried=_tried(policy),
        rank=restricting.tier if restricting else 0,
        restricts=restricting.name if restricting else "",
        seals=next((rule.name for rule in guards if rule.action in SEALING), ""),
    )


def _chosen(policy: Policy) -> dict[str, tuple[int, Source]]:
    chosen: dict[str, tuple[int, Source]] = {}
    for rank in reversed(range(1, len(policy.tiers))):
        for pool in privacy.pools(policy, rank):
            for place, candidate in enumerate(pool.candidates):
                if candidate.cluster not in chosen:
                    chosen[candidate.cluster] = rank, Source(pool.rule, place + 1)
    return chosen


def _tried(policy: Policy) -> dict[str, tuple[int, Source]]:
    tried: dict[str, tuple[int, Source]] = {}
    for rank in reversed(range(1, len(policy.tiers))):
        for rule, attempt, candidate in privacy.emissions(policy, rank):
            if attempt > 1:
                tried.setdefault(candidate.cluster, (rank, Source(rule, attempt)))
    return tried
