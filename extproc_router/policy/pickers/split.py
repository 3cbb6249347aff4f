"""`split`: percentages of the traffic, for A/B tests and careful roll-outs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct
from pydantic import Field, field_validator

from extproc_router.options import Key, Name, Section
from extproc_router.policy.base import Ranked
from extproc_router.policy.pickers import rendezvous
from extproc_router.policy.pickers.pool import first_of, require_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Scope, Situation

_WHOLE, _TOLERANCE = 100.0, 0.01  # percent


class Options(Section):
    """Sends each key to one of several models, in proportions; it stays there until its share shrinks."""

    pick: Literal["split"]
    shares: Annotated[
        dict[Name, Annotated[float, Field(ge=0, le=100)]],
        Field(
            min_length=2,
            max_length=100,
            description="model name -> percent; they sum to 100",
            examples=[{"stable": 95, "next": 5}],
        ),
    ]
    by: Annotated[Key, Field(description="what stays together")] = "conversation"
    experiment: Annotated[
        Name,
        Field(description="splits of one name send a key the same way; another name draws anew, independently"),
    ] = "split"

    @field_validator("shares")
    @classmethod
    def _whole(cls, shares: dict[str, float]) -> dict[str, float]:
        total = sum(shares.values())
        if abs(total - _WHOLE) > _TOLERANCE:
            raise ValueError(f"shares sum to {total:g}, not to 100")
        return shares


class Split(Struct, frozen=True):
    """See `Options`.

    Attributes:
        shares: name -> percent, those above 0.
        by: see `policy.keys`.
        experiment: salt of the hash.
    """

    shares: Mapping[str, float]
    by: str
    experiment: str
    needs: frozenset[str] = frozenset()

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked:
        """Rank those with a share by rendezvous, or the largest first without a key; the others follow."""
        arms = [candidate for candidate in pool if candidate.name in self.shares]
        others = (candidate for candidate in pool if candidate.name not in self.shares)
        key = situation.key(self.by)
        if key is None:
            arms.sort(key=lambda candidate: self.shares[candidate.name], reverse=True)
        else:
            arms = list(rendezvous.ranked(arms, key, self.shares, self.experiment))
        order = (*arms, *others)
        share = self.shares.get(order[0].name)
        if share is None:
            why = f"none that {self.experiment} splits among can serve it"
        elif key is None:
            why = f"no {self.by}: the largest share of {self.experiment}"
        else:
            why = f"{share:g} % of {self.experiment}, by {self.by}"
        return Ranked(order, first_of(order), why)


def build(options: Options, scope: Scope) -> Split:
    """Compile.

    Raises:
        ValueError: a share names no model among those to choose from.
    """
    require_models("shares", options.shares, scope)
    shares = {name: share for name, share in options.shares.items() if share > 0}
    return Split(shares, options.by, options.experiment)
