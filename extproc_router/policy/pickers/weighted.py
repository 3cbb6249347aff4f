"""`weighted`: cost, quality and latency, weighed against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct
from pydantic import Field, model_validator

from extproc_router.candidates import Candidate
from extproc_router.options import Section
from extproc_router.policy.base import Ranked
from extproc_router.policy.pickers import estimates
from extproc_router.policy.pickers.estimates import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.policy.base import Scope, Situation

Weight = Annotated[float, Field(ge=0, le=1_000_000)]


class Weights(Section):
    """How much each counts; only their proportions matter."""

    cost: Annotated[Weight, Field(description="of the expected price, the cheapest of the models being best")] = 0.0
    quality: Annotated[Weight, Field(description="of the quality in the request's domain")] = 0.0
    latency: Annotated[Weight, Field(description="of the expected time to the end, the fastest being best")] = 0.0

    @model_validator(mode="after")
    def _some(self) -> Weights:
        if not self.cost + self.quality + self.latency:
            raise ValueError("at least one weight must be above 0")
        return self


class Options(Section):
    """The model with the best weighted mean of scores in [0, 1]."""

    pick: Literal["weighted"]
    weights: Annotated[Weights, Field(description="how much each score counts", examples=[{"cost": 1, "quality": 2}])]
    slack: Annotated[
        float, Field(ge=0, le=1, description="a conversation stays with a model that scores less by no more than this")
    ] = 0.05


class _Part(Struct, frozen=True):
    """One of the scores: (top - value) / span, in [0, 1], for each model of the pool."""

    name: str
    weight: float
    values: list[float]
    top: float
    span: float


class Weighted(Struct, frozen=True):
    """See `Options`.

    Scores of cost and latency are relative to the whole pool, filtered or not: what one model scores, and who is before
    whom, does not depend on who else can serve the request.

    Attributes:
        pool: all models that the rule may choose.
        cost: its weight; likewise the others. They sum to 1.
        qualities: None where their weight is 0.
        slack: in [0, 1].
    """

    pool: tuple[Candidate, ...]
    cost: float
    quality: float
    latency: float
    qualities: Quality | None
    slack: float

    @property
    def needs(self) -> frozenset[str]:
        """The domain where qualities are weighed and depend on it."""
        return frozenset() if self.qualities is None else self.qualities.needs

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked | None:
        """Put the highest score first."""
        parts: list[_Part] = []
        if self.cost:
            parts.append(_lowest_is_best("cost", self.cost, estimates.costs(self.pool, situation)))
        if self.qualities is not None:
            domain = self.qualities.domain(situation)
            if domain is None:
                return None
            quality = self.qualities.within(domain)
            parts.append(
                _Part("quality", self.quality, [quality[candidate.name] for candidate in self.pool], 0.0, -1.0)
            )
        if self.latency:
            parts.append(_lowest_is_best("latency", self.latency, estimates.latencies_ms(self.pool, situation)))
        everyone = [0.0] * len(self.pool)
        for part in parts:
            weight, top, span = part.weight, part.top, part.span
            everyone = [
                mean + weight * ((top - value) / span) for mean, value in zip(everyone, part.values, strict=True)
            ]
        score_of = dict(zip([candidate.name for candidate in self.pool], everyone, strict=True))
        scores = {candidate.name: score_of[candidate.name] for candidate in pool}
        order = tuple(sorted(pool, key=lambda candidate: scores[candidate.name], reverse=True))
        best = order[0].name
        enough = scores[best] - self.slack
        acceptable = frozenset([name for name, score in scores.items() if score >= enough])
        place = [*score_of].index(best)
        told = ", ".join([f"{part.name} {(part.top - part.values[place]) / part.span:.2f}" for part in parts])
        return Ranked(order, acceptable, f"score {scores[best]:.2f} of {told}", scores)


def build(options: Options, scope: Scope) -> Weighted:
    """Compile.

    Raises:
        ValueError: what is weighed is not stated for a model, or there is no signal to tell domains by.
    """
    weights = options.weights
    if weights.latency:
        estimates.require_latencies(scope)
    total = weights.cost + weights.quality + weights.latency
    return Weighted(
        pool=scope.pool,
        cost=weights.cost / total,
        quality=weights.quality / total,
        latency=weights.latency / total,
        qualities=estimates.qualities(scope) if weights.quality else None,
        slack=options.slack,
    )


def _lowest_is_best(name: str, weight: float, values: list[float]) -> _Part:
    """Scale to [0, 1], the lowest to 1; all to 1 where they are equal."""
    low, high = min(values), max(values)
    if low == high:
        return _Part(name, weight, [0.0] * len(values), 1.0, 1.0)
    return _Part(name, weight, values, high, high - low)
