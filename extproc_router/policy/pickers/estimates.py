"""What is expected of a model on one request: its price, its time, its quality."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.policy.base import TYPICAL_COMPLETION_TOKENS
from extproc_router.policy.pickers.pool import require_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Scope, Situation

DOMAIN = "domain"
"""Name of the signal by whose labels qualities are stated."""

_OTHERS = ""  # the label that stands for all domains without a quality of their own
_MILLION = 1_000_000
_MS = 1000.0


def completion_tokens(situation: Situation) -> int:
    """Return how long the completion is expected to be: a typical one, shorter where the client bounded it so."""
    bound = situation.max_tokens
    return TYPICAL_COMPLETION_TOKENS if bound is None else min(bound, TYPICAL_COMPLETION_TOKENS)


def costs(candidates: Sequence[Candidate], situation: Situation) -> list[float]:
    """Return the expected price of the request with each model, in USD."""
    prompt, completion = situation.tokens / _MILLION, completion_tokens(situation) / _MILLION
    return [model.cost_input * prompt + model.cost_output * completion for model in candidates]


def require_latencies(scope: Scope) -> None:
    """Check that each model has what `latencies_ms` reads.

    Raises:
        ValueError: some have not; it names them.
    """
    silent = [repr(model.name) for model in scope.pool if model.ttft_ms is None or model.tokens_per_second is None]
    if silent:
        raise ValueError(f"latency is weighed, and no ttft_ms or tokens_per_second is stated for {', '.join(silent)}")


def latencies_ms(candidates: Sequence[Candidate], situation: Situation) -> list[float]:
    """Return the expected time to the end of each completion; what `require_latencies` asks for must be there."""
    length = completion_tokens(situation) * _MS
    return [(model.ttft_ms or 0.0) + length / (model.tokens_per_second or inf) for model in candidates]


class Quality(Struct, frozen=True):
    """How good each model of a pool is, in [0, 1].

    Attributes:
        by_domain: domain label -> model name -> quality; the label `` (empty) stands for all others.
        needs: the signal `domain` where any model states a domain; else none.
        floor: a domain below this confidence is none.
    """

    by_domain: Mapping[str, Mapping[str, float]]
    needs: frozenset[str]
    floor: float

    def domain(self, situation: Situation) -> str | None:
        """Return the request's domain; None where it is absent.

        It is empty where the domain is not sure or no model states it: only labels that the config lists get into
        reasons, whatever kind of signal is called `domain`.
        """
        if not self.needs:
            return _OTHERS
        signal = situation.signal(DOMAIN)
        if signal.absent:
            return None
        if signal.confidence < self.floor:
            return _OTHERS
        return min(signal.labels & self.by_domain.keys(), default=_OTHERS)

    def within(self, domain: str) -> Mapping[str, float]:
        """Return the quality of each model in a domain that `domain` gave, by name."""
        return self.by_domain[domain]


def qualities(scope: Scope) -> Quality:
    """Gather what the config says of the models to choose from.

    A model that states some domains and nothing for all others is as good there as in its worst: what is known of it
    holds nowhere less.

    Raises:
        ValueError: some models state nothing, or there is no signal to tell domains by.
    """
    silent = [repr(candidate.name) for candidate in scope.pool if not candidate.quality]
    if silent:
        raise ValueError(f"quality is weighed, and none is stated for {', '.join(silent)}")
    stated = {candidate.name: candidate.quality for candidate in scope.pool}
    others = {name: quality.get(_OTHERS, min(quality.values())) for name, quality in stated.items()}
    labels = {label for quality in stated.values() for label in quality} - {_OTHERS}
    if labels:
        require_signal(DOMAIN, scope)
    by_domain = {
        label: {name: quality.get(label, others[name]) for name, quality in stated.items()} for label in labels
    }
    return Quality(by_domain | {_OTHERS: others}, frozenset({DOMAIN} if labels else ()), scope.domain_floor)
