"""The policy: candidates, then signals, then one choice with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.errors import ModelNotAllowed, ModelNotFound, NoEligibleModel
from extproc_router.policy import privacy
from extproc_router.types import Candidate, Reason

if TYPE_CHECKING:
    from extproc_router.types import Signal


class Choice(Struct, frozen=True):
    """One candidate, the low-cardinality reason, and a sentence for people."""

    candidate: Candidate
    reason: Reason
    why: str


class Policy(Struct, frozen=True):
    """What the config says, ready to decide.

    Attributes:
        candidates: by name, in file order.
        auto: model names that mean "route this"; the empty name is one of them.
        tiers: privacy tiers, lowest first.
        domains: domain label -> model name.
        default: model name.
        confidence_floor: in [0, 1]; a signal below it decides nothing.
    """

    candidates: dict[str, Candidate]
    auto: frozenset[str]
    tiers: tuple[str, ...]
    domains: dict[str, str]
    default: str
    confidence_floor: float

    def is_auto(self, model: str) -> bool:
        """Whether this model name leaves the choice to us."""
        return model in self.auto

    @property
    def needs_domain(self) -> bool:
        """Whether any rule reads the domain: without one the encoder need not run."""
        return bool(self.domains)

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
        return Choice(candidate, Reason.NAMED, f"the client asked for {model}")

    def by_domain(self, domain: Signal, tier: int) -> Choice:
        """Choose by what the encoder read.

        Raises:
            NoEligibleModel: no model is cleared for this tier.
        """
        read = f"{domain.label} ({domain.confidence:.2f})"
        if domain.confidence < self.confidence_floor:
            why = f"{read} is below the floor {self.confidence_floor:.2f}"
            return self.fall_back(Reason.LOW_CONFIDENCE, why, tier)
        wanted = self.domains.get(domain.label)
        if wanted is None:
            return self.fall_back(Reason.NO_RULE, f"no rule for {read}", tier)
        return self._cleared(wanted, Reason.DOMAIN, f"{read} goes to {wanted}", tier)

    def fall_back(self, reason: Reason, why: str, tier: int) -> Choice:
        """Choose the declared default, for a stated reason.

        Raises:
            NoEligibleModel: no model is cleared for this tier.
        """
        return self._cleared(self.default, reason, f"{why}: default {self.default}", tier)

    def _cleared(self, wanted: str, reason: Reason, why: str, tier: int) -> Choice:
        """Keep the wanted model where it is cleared; else the default, else the first in file order that is."""
        allowed = privacy.cleared(tuple(self.candidates.values()), tier)
        if not allowed:
            raise NoEligibleModel(f"No model is cleared for {self.tiers[tier]!r} requests.")
        if self.candidates[wanted] in allowed:
            return Choice(self.candidates[wanted], reason, why)
        default = self.candidates[self.default]
        chosen = default if default in allowed else allowed[0]
        return Choice(chosen, Reason.PRIVACY, f"{why}, which is not cleared for {self.tiers[tier]}: {chosen.name}")
