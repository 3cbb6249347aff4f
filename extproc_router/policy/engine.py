"""The policy: what is allowed, then the first rule that matches, then its strategy; else the declared default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from extproc_router.candidates import Candidate
from extproc_router.errors import ModelNotAllowed, ModelNotFound, NoCapableModel, NoEligibleModel
from extproc_router.policy import filters, privacy, stickiness
from extproc_router.policy.filters import Refusal
from extproc_router.policy.matching import REASONING, match
from extproc_router.policy.rules import Cascade, Edits, Fallback, Route, Safeguard, Think
from extproc_router.types import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from extproc_router.policy.base import Ranked, Situation
    from extproc_router.policy.conditions import Read


_TWO = 2


class Choice(Struct, frozen=True):
    """What was chosen.

    Attributes:
        chain: the models that may serve the request, the chosen one first; every one is allowed to.
        reason: of low cardinality.
        why: a sentence for people.
        rule: name of the rule that chose; empty where none did.
        edits: what changes in the body beside the model.
        sticky: `held`, `yielded` or empty.
        shadow: what shadow rules would have chosen, as `name=model`.
        cascade: how the first model's answer is judged, so that the second may take over; None where it is not.
    """

    chain: tuple[Candidate, ...]
    reason: Reason
    why: str
    rule: str = ""
    edits: Edits = Edits()
    sticky: str = ""
    shadow: tuple[str, ...] = ()
    cascade: Cascade | None = None


class Allowed(Struct, frozen=True):
    """What is left for one request.

    Attributes:
        cleared: names of the models that are cleared for its tier.
        kept: of these the ones that can serve it, by name, in file order.
        dropped: name -> why it cannot, for the others that are cleared.
    """

    cleared: frozenset[str]
    kept: Mapping[str, Candidate]
    dropped: Mapping[str, Refusal]


class Policy(Struct, frozen=True):
    """What the config says, ready to decide.

    Attributes:
        candidates: by name, in file order.
        auto: model names that mean "route this"; the empty name is one of them.
        tiers: privacy tiers, lowest first.
        safeguards: strictest action first.
        routes: in file order, the table of domains last.
        default: model name.
        fallback: what is tried where a model fails.
    """

    candidates: dict[str, Candidate]
    auto: frozenset[str]
    tiers: tuple[str, ...]
    safeguards: tuple[Safeguard, ...]
    routes: tuple[Route, ...]
    default: str
    fallback: Fallback = Fallback()

    def without_cascades(self) -> Policy:
        """Return the same, but that no answer is judged: what was a cascade is a chain."""
        return replace(self, routes=tuple(replace(route, cascade=None) for route in self.routes))

    def is_auto(self, model: str) -> bool:
        """Whether this model name leaves the choice to us."""
        return model in self.auto

    def named(self, model: str, tier: int) -> Choice:
        """Choose the model that the client named.

        Raises:
            ModelNotFound: no such model.
            ModelNotAllowed: it is not cleared for this tier.
        """
        candidate = self.candidates.get(model)
        if candidate is None:
            raise ModelNotFound(model)
        if candidate.clearance < tier:
            raise ModelNotAllowed(
                f"The model {model!r} is not cleared for {self.tiers[tier]!r} requests.", param="model"
            )
        return Choice((candidate,), Reason.NAMED, f"the client asked for {model}")

    def allowed(self, tier: int, situation: Situation) -> Allowed:
        """Find the models that may and can serve a request.

        Raises:
            NoEligibleModel: none is cleared for this tier.
            NoCapableModel: none of those can serve it.
        """
        cleared = privacy.cleared(tuple(self.candidates.values()), tier)
        if not cleared:
            raise NoEligibleModel(f"No model is cleared for {self.tiers[tier]!r} requests.")
        kept, dropped = filters.capable(cleared, situation)
        if not kept:
            reasons = "; ".join(dict.fromkeys(refusal.why for refusal in dropped.values()))
            raise NoCapableModel(f"No model that may serve this request can: {reasons}.")
        return Allowed(
            frozenset(candidate.name for candidate in cleared),
            {candidate.name: candidate for candidate in kept},
            dropped,
        )

    def choose(self, tier: int, situation: Situation, previous: str | None = None) -> Choice | frozenset[str]:
        """Choose for a request that leaves it to us.

        Args:
            tier: rank of its privacy tier.
            situation: the request.
            previous: the model that the conversation had; None where it had none.

        Returns:
            The choice, or the names of the signals that are needed before it can be made.

        Raises:
            NoEligibleModel: no model is cleared for this tier.
            NoCapableModel: none of those can serve it.
        """
        allowed = self.allowed(tier, situation)
        found = match(self.routes, situation)
        if found.pending:
            return found.pending
        shadow = tuple(_shadow(route, allowed, situation) for route in found.shadows)
        if found.route:
            choice = self._apply(found.route, allowed, situation, previous, tier)
        elif found.shed:
            choice = self._fall_back(allowed, Reason.SHED, found.shed.condition.explain(situation.signal), tier)
        elif found.low:
            why = found.low.condition.explain(situation.signal)
            choice = self._fall_back(allowed, Reason.LOW_CONFIDENCE, why, tier)
        else:
            choice = self._fall_back(allowed, Reason.NO_RULE, "no rule matched", tier)
        return replace(choice, shadow=shadow) if shadow else choice

    def _apply(self, route: Route, allowed: Allowed, situation: Situation, previous: str | None, tier: int) -> Choice:
        matched = f"{route.name}: {route.condition.explain(situation.signal)}"
        pool = [candidate for candidate in route.pool if candidate.name in allowed.kept]
        if not pool:
            barred = route.pool[0].name
            if barred in allowed.cleared:
                why = f"{matched}; {barred}: {allowed.dropped[barred].why}"
                return self._fall_back(allowed, Reason.CAPABILITY, why, tier)
            why = f"{matched}; {barred} is not cleared for {self.tiers[tier]}"
            return self._fall_back(allowed, Reason.PRIVACY, why, tier)
        ranked = route.picker.rank(pool, situation)
        if ranked is None:
            return self._fall_back(allowed, Reason.SHED, f"{matched}; a signal that its strategy needs is absent", tier)
        ranked, sticky, note = stickiness.hold(ranked, previous)
        why = "; ".join(filter(None, (matched, ranked.why, note, f"so {ranked.order[0].name}")))
        return Choice(
            self._chain(ranked.order, allowed),
            route.reason,
            why,
            route.name,
            route.edits,
            sticky,
            cascade=route.cascade if _may_take_over(ranked.order) else None,
        )

    def _fall_back(self, allowed: Allowed, reason: Reason, why: str, tier: int) -> Choice:
        """Choose the declared default; where it may not or cannot, the first in file order that may and can."""
        default = allowed.kept.get(self.default)
        if default:
            return Choice(self._chain((default,), allowed), reason, f"{why}: default {default.name}")
        other = next(iter(allowed.kept.values()))
        if self.default in allowed.cleared:
            barred, reason = allowed.dropped[self.default].why, Reason.CAPABILITY
        else:
            barred, reason = f"not cleared for {self.tiers[tier]}", Reason.PRIVACY
        chain = self._chain((other,), allowed)
        return Choice(chain, reason, f"{why}: default {self.default}, {barred}: {other.name}")

    def _chain(self, order: Iterable[Candidate], allowed: Allowed) -> tuple[Candidate, ...]:
        """Put the default, then the models of `fallback`, behind what was chosen.

        Those alone that may and can serve the request, and are not there yet.
        """
        chain = {candidate.name: candidate for candidate in order}
        for name in (self.default, *self.fallback.models):
            behind = allowed.kept.get(name)
            if behind:
                chain.setdefault(name, behind)
        return tuple(chain.values())


def _may_take_over(order: Sequence[Candidate]) -> bool:
    """Whether the second model may take over from the first: not where it is cheaper, for then the choice was made.

    A strategy that finds a prompt hard, and a conversation that has the strong model, put that one first.
    """
    if len(order) < _TWO:
        return False
    first, second = (model.cost_input + model.cost_output for model in order[:_TWO])
    return first <= second


def think(edits: Edits, read: Read) -> bool | None:
    """Return whether the model shall reason; None where nothing is said, or nothing is known."""
    if edits.think is not Think.AUTO:
        return None if edits.think is None else edits.think is Think.ON
    signal = read(REASONING)
    # Of a prompt without text it says no with confidence 0.
    return None if signal.absent or not signal.confidence else bool(signal.labels)


def _shadow(route: Route, allowed: Allowed, situation: Situation) -> str:
    """Say what a shadow rule would have chosen."""
    pool = [candidate for candidate in route.pool if candidate.name in allowed.kept]
    ranked: Ranked | None = route.picker.rank(pool, situation) if pool else None
    return f"{route.name}={ranked.order[0].name if ranked else 'default'}"
