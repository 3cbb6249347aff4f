"""`threshold`: a strong model for requests that need it, a weak one for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Struct
from pydantic import Field, model_validator

from extproc_router.options import Name, Section
from extproc_router.policy.base import Ranked
from extproc_router.policy.pickers.pool import first_of, require_models, require_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Scope, Situation


class Options(Section):
    """The strong model where a signal reaches a threshold, else the weak one."""

    pick: Literal["threshold"]
    strong: Annotated[Name, Field(description="the model for numbers at or above `at`")]
    weak: Annotated[Name, Field(description="the model for numbers below it")]
    at: Annotated[float, Field(ge=0, le=1, description="the threshold", examples=[0.5])]
    signal: Annotated[Name, Field(description="a signal that gives a number in [0, 1]")] = "difficulty"

    @model_validator(mode="after")
    def _two(self) -> Options:
        if self.strong == self.weak:
            raise ValueError("`strong` and `weak` must be two models")
        return self


class Threshold(Struct, frozen=True):
    """See `Options`."""

    strong: str
    weak: str
    at: float
    signal: str
    needs: frozenset[str]

    def rank(self, pool: Sequence[Candidate], situation: Situation) -> Ranked | None:
        """Put one of the two first, the other second, and what else there is after them."""
        signal = situation.signal(self.signal)
        if signal.absent or signal.number is None:
            return None
        is_hard = signal.number >= self.at
        wanted = (self.strong, self.weak) if is_hard else (self.weak, self.strong)
        left = {candidate.name: candidate for candidate in pool}
        first = [left.pop(name) for name in wanted if name in left]
        order = (*first, *left.values())
        # What began with the strong model may stay there; what needs it may not stay with the weak one.
        suffices = frozenset(wanted[:1] if is_hard else wanted).intersection(candidate.name for candidate in order)
        why = f"{self.signal} {signal.number:.4g} {'>=' if is_hard else '<'} {self.at:g}"
        return Ranked(order, suffices or first_of(order), why)


def build(options: Options, scope: Scope) -> Threshold:
    """Compile.

    Raises:
        ValueError: no such model among those to choose from, or no such signal.
    """
    require_models("strong", [options.strong], scope)
    require_models("weak", [options.weak], scope)
    require_signal(options.signal, scope, number=True)
    return Threshold(options.strong, options.weak, options.at, options.signal, frozenset({options.signal}))
