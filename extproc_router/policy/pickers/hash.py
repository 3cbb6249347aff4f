"""`hash`: the same key always goes to the same model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct
from pydantic import Field

from extproc_router.options import Key, Name, Section
from extproc_router.policy.base import Ranked
from extproc_router.policy.pickers import rendezvous
from extproc_router.policy.pickers.pool import first_of, require_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Scope, Situation


class Options(Section):
    """Spreads keys over the models consistently: where one model goes, only its keys move."""

    pick: Literal["hash"]
    by: Annotated[Key, Field(description="what is hashed", examples=["conversation", "header:x-tenant"])]
    weights: Annotated[
        dict[Name, Annotated[float, Field(gt=0, le=1_000_000)]],
        Field(description="model name -> its weight; 1 where it is not named", examples=[{"large": 2}]),
    ] = Field(default_factory=dict)


class Hash(Struct, frozen=True):
    """See `Options`."""

    by: str
    weights: Mapping[str, float]
    needs: frozenset[str] = frozenset()

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked:
        """Rank by rendezvous; a request without the key has the order given."""
        key = situation.key(self.by)
        if key is None:
            order = tuple(pool)
            return Ranked(order, first_of(order), f"no {self.by} to hash: the first")
        order = rendezvous.ranked(pool, key, self.weights)
        return Ranked(order, first_of(order), f"by hash of {self.by}")


def build(options: Options, scope: Scope) -> Hash:
    """Compile.

    Raises:
        ValueError: a weight names no model among those to choose from.
    """
    require_models("weights", options.weights, scope)
    return Hash(options.by, options.weights)
