"""`cheapest_above`: the cheapest model that is good enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct
from pydantic import Field

from extproc_router.options import Section
from extproc_router.policy.base import Ranked
from extproc_router.policy.pickers import estimates
from extproc_router.policy.pickers.estimates import Quality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Scope, Situation


class Options(Section):
    """The cheapest model whose quality in the request's domain reaches a bar; where none does, the best."""

    pick: Literal["cheapest_above"]
    quality: Annotated[
        float, Field(ge=0, le=1, description="the bar, on the scale of the models' `quality`", examples=[0.7])
    ]


class CheapestAbove(Struct, frozen=True):
    """See `Options`."""

    bar: float
    quality: Quality

    @property
    def needs(self) -> frozenset[str]:
        """The domain where qualities depend on it."""
        return self.quality.needs

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked | None:
        """Put those at or above the bar first, cheapest first, then the others, best first."""
        domain = self.quality.domain(situation)
        if domain is None:
            return None
        quality = self.quality.within(domain)
        costs = estimates.costs(pool, situation)
        by_cost = [pool[place] for place in sorted(range(len(pool)), key=costs.__getitem__)]
        above = [candidate for candidate in by_cost if quality[candidate.name] >= self.bar]
        below = [candidate for candidate in pool if quality[candidate.name] < self.bar]
        below.sort(key=lambda candidate: quality[candidate.name], reverse=True)
        order = (*above, *below)
        reached = f"quality {quality[order[0].name]:.2f}{f' in {domain}' if domain else ''}"
        if not above:
            return Ranked(order, frozenset({order[0].name}), f"none reaches {self.bar:.2f}: the best, {reached}")
        why = f"{reached} >= {self.bar:.2f}, the cheapest of {len(above)}"
        return Ranked(order, frozenset(candidate.name for candidate in above), why)


def build(options: Options, scope: Scope) -> CheapestAbove:
    """Compile.

    Raises:
        ValueError: a model states no quality, or there is no signal to tell domains by.
    """
    return CheapestAbove(options.quality, estimates.qualities(scope))
