"""`least_loaded`: the model that is expected to begin its answer first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct
from pydantic import Field

from extproc_router.candidates import Candidate
from extproc_router.options import Section
from extproc_router.policy.base import Ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Beliefs
    from extproc_router.policy.base import Scope, Situation


class Options(Section):
    """The model with the shortest expected wait."""

    pick: Literal["least_loaded"]
    slack_ms: Annotated[
        float,
        Field(ge=0, le=600_000, description="a conversation stays with a model that is slower by no more than this"),
    ] = 50.0


class LeastLoaded(Struct, frozen=True):
    """See `Options`.

    Attributes:
        pool: all models that the rule may choose.
        slack_ms: at least 0.
    """

    pool: tuple[Candidate, ...]
    slack_ms: float
    needs: frozenset[str] = frozenset()

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked:
        """Put the shortest wait first; of equal ones the one named first."""
        waits = self._waits(situation.beliefs)
        scores = {candidate.name: -waits[candidate.name] for candidate in pool}
        order = tuple(sorted(pool, key=lambda candidate: waits[candidate.name]))
        shortest = waits[order[0].name]
        acceptable = frozenset(name for name in scores if waits[name] <= shortest + self.slack_ms)
        return Ranked(order, acceptable, f"expected wait {shortest:.0f} ms", scores)

    def _waits(self, beliefs: Beliefs) -> dict[str, float]:
        """Milliseconds to the first token, by name.

        Those that wait are prefilled one after another, each in the time that one takes alone. A model of which nothing
        is known is taken for the slowest that is stated, or believed where none is: a server that never answers must
        not look like the fastest.
        """
        waits: dict[str, float] = {}
        for candidate in self.pool:
            load = beliefs.loads.get(candidate.name)
            if load is not None:
                waits[candidate.name] = (1.0 + load.waiting) * load.ttft_ms
            elif candidate.ttft_ms is not None:
                waits[candidate.name] = candidate.ttft_ms
        if len(waits) < len(self.pool):
            priors = [candidate.ttft_ms for candidate in self.pool if candidate.ttft_ms is not None]
            unknown = max(priors or waits.values(), default=0.0)
            for candidate in self.pool:
                waits.setdefault(candidate.name, unknown)
        return waits


def build(options: Options, scope: Scope) -> LeastLoaded:
    """Compile."""
    return LeastLoaded(scope.pool, options.slack_ms)
