"""What becomes of requests that nobody reads: Envoy's default cluster, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from extproc_router import dialects
from extproc_router.errors import NoEligibleModel, UncheckableBody
from extproc_router.policy import guarding
from extproc_router.router import compose, paths
from extproc_router.router.compose import DECISION_HEADER
from extproc_router.router.readings import Readings
from extproc_router.signals.base import Reader, Subject
from extproc_router.types import Answer, Decision, HttpRequest, Mutation, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.policy.engine import Policy
    from extproc_router.router.compose import Tell


class Passing:
    """Lets requests pass, where safety rules allow it.

    Args:
        policy: what the config says.
        readers: the signals, by name.
        unrouted: as in `Terms`.

    Attributes:
        guards: whether a safety rule has to read every request.
    """

    def __init__(self, policy: Policy, readers: Mapping[str, Reader], unrouted: str | None) -> None:
        self._tiers = policy.tiers
        self._readers = readers
        self._unrouted = unrouted
        self.guards = any(rule.holds_back for rule in policy.safeguards)
        # What they need of a body is absent; what they need of headers is there.
        self._lenient = tuple(replace(rule, strict=False) for rule in policy.safeguards)

    def go_on(self, decision: Decision, why: str, tier: int) -> Answer:
        """Leave a request to Envoy; one above the lowest tier goes nowhere."""
        if tier:
            error = NoEligibleModel(
                f"This request is {self._tiers[tier]!r} and cannot be read ({why}): it was sent nowhere."
            )
            return compose.refuse(decision, error, dialects.common_error(error.status, error))
        # Envoy's routes tell by it that we have let the request pass, and are not down.
        return Answer(replace(decision, why=why), Mutation(((DECISION_HEADER, decision.id),)))

    def other_path(self, http: HttpRequest, decision: Decision, tier: int) -> Answer:
        """Let a request pass that is none of the APIs', unless it may bring a model what safety rules have to read."""
        why = "not a path that is routed"
        refuses = self.guards if self._unrouted is None else self._unrouted == "refuse"
        if not refuses or not paths.may_have_body(http):
            return self.by_headers(http, decision, why, tier, dialects.common_error)
        error = UncheckableBody(
            f"This request cannot be checked, so it was sent nowhere: {why} (the router's config: `routing.unrouted`)."
        )
        return compose.refuse(decision, error, dialects.common_error(error.status, error))

    def unread(self, http: HttpRequest, decision: Decision, why: str, tier: int, tell: Tell) -> Answer:
        """Let a body pass that cannot be read, unless safety rules had to read it."""
        if not self.guards:
            return self.by_headers(http, decision, why, tier, tell)
        error = UncheckableBody(f"This body cannot be checked, so it was sent nowhere: {why}.")
        return compose.refuse(decision, error, tell(error.status, error))

    def no_room(self, http: HttpRequest, decision: Decision, why: str, tier: int) -> Answer:
        """Let a request pass for whose body there is no room, unless safety rules had to read it."""
        if self.guards and not tier:
            return compose.unchecked(replace(decision, why=why), dialects.common_error)
        return self.by_headers(http, replace(decision, reason=Reason.SHED), why, tier, dialects.common_error)

    def by_headers(self, http: HttpRequest, decision: Decision, why: str, tier: int, tell: Tell) -> Answer:
        """Let a request pass unless a safety rule holds that needs no more than its headers."""
        readings = Readings(self._readers, Subject(http.headers, None))
        guarded = guarding.guard(self._lenient, tier, readings.read)
        decision = replace(
            decision,
            privacy_tier=self._tiers[guarded.tier],
            signals=readings.evidence(),
            safety=guarded.applied,
            shadow=guarded.shadow,
        )
        if guarded.stop:
            return compose.block(decision, guarded.stop, tell)
        return self.go_on(decision, why, guarded.tier)
