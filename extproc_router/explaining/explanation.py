"""What there is to tell of one decision; `page` writes it for people, `document` for machines."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.explaining.timing import Pass
from extproc_router.policy.matching import REASONING
from extproc_router.policy.rules import Think
from extproc_router.policy.story import Line
from extproc_router.router.router import CONTEXT
from extproc_router.signals.base import Cost
from extproc_router.types import Decision, Evidence, Mutation, Reason, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.policy.story import Story
    from extproc_router.router import Terms

_TAKES_OVER = "takes over where the first answer is doubted"
# Where it came to this, no rule was asked.
STOPPED = frozenset({Reason.BLOCKED, Reason.DECLINED, Reason.UNCHECKED, Reason.REFUSED})


class State(StrEnum):
    """What became of a signal."""

    READ = "read"
    NOT_NEEDED = "not needed"  # a rule, or a strategy, would have asked for it
    UNUSED = "unused"  # nothing in the config asks for it


class SignalLine(Struct, frozen=True):
    """One signal.

    Attributes:
        state: whether it was read.
        evidence: what it says; None where it was not read.
        ms: reading it, the encoder's time not counted; None where nobody knows.
        encoder: whether it waits for the encoder.
    """

    name: str
    state: State
    evidence: Evidence | None
    ms: float | None
    encoder: bool


class ModelLine(Struct, frozen=True):
    """One model.

    Attributes:
        place: in the chain, from 1; 0 where it is not in it.
        score: what the strategy ranked it by; None where there is no such number.
        note: chosen, fallback, takes over, or why it is none of these.
    """

    name: str
    cluster: str
    place: int
    score: float | None
    note: str


class Explanation(Struct, frozen=True):
    """One decision.

    Attributes:
        asked: what the client sent, in short.
        decision: as `serve` would log it.
        signals: those that were read, in that order, then the others.
        encoder: texts that it read.
        safety: each safety rule, strictest first.
        rules: each rule, in order.
        models: the chain, then the others in file order.
        conversation: whether it had a model, and kept it.
        action: what Envoy is told; None where a log does not say.
        before: the body that the client sent, decompressed; None where none was read.
        notes: what else has to be known, a sentence each.
        total_ms: from the request to the answer; None where nobody knows.
    """

    asked: str
    decision: Decision
    signals: tuple[SignalLine, ...]
    encoder: tuple[Pass, ...]
    safety: tuple[Line, ...]
    rules: tuple[Line, ...]
    models: tuple[ModelLine, ...]
    conversation: str
    action: Mutation | Reply | None
    before: bytes | None
    notes: tuple[str, ...]
    total_ms: float | None


def signal_lines(terms: Terms, decision: Decision, ms: Mapping[str, float]) -> Iterator[SignalLine]:
    """Yield every signal there is: those read, those that a rule would have read, those that nothing asks for.

    Args:
        terms: what decided.
        decision: what it came to.
        ms: signal name -> milliseconds, for those whose time is known.
    """
    read = {evidence.name: evidence for evidence in decision.signals}
    used = _used(terms)
    for evidence in decision.signals:
        reader = terms.readers.get(evidence.name)
        asks = reader is not None and reader.cost >= Cost.ENCODER
        yield SignalLine(evidence.name, State.READ, evidence, ms.get(evidence.name), asks)
    rest = [name for name in terms.readers if name not in read]
    for name in sorted(rest, key=lambda name: name not in used):
        state = State.NOT_NEEDED if name in used else State.UNUSED
        yield SignalLine(name, state, None, None, terms.readers[name].cost >= Cost.ENCODER)


def _used(terms: Terms) -> frozenset[str]:
    """Return the signals that anything in the config may read."""
    policy = terms.policy
    guards = (rule.condition.names for rule in policy.safeguards)
    routes = (route.condition.names | route.picker.needs for route in policy.routes)
    thinks = any(route.edits.think is Think.AUTO for route in policy.routes)
    own = ({REASONING} if thinks else set()) | ({CONTEXT} if terms.counts_tokens else set())
    return frozenset().union(*guards, *routes, own)


def model_lines(terms: Terms, decision: Decision, story: Story) -> Iterator[ModelLine]:
    """Yield the chain in its order, then every other model, with what kept it out; nothing where none was looked at."""
    if not (decision.chain or story.barred):
        return
    candidates = terms.policy.candidates
    pool = _pool(terms, decision)
    for place, name in enumerate(decision.chain, start=1):
        candidate = candidates.get(name)
        note = _TAKES_OVER if name == decision.cascade else "chosen" if place == 1 else "fallback"
        yield ModelLine(name, candidate.cluster if candidate else "", place, story.scores.get(name), note)
    for name, candidate in candidates.items():
        if name not in decision.chain:
            note = story.barred.get(name, "") or _beyond(terms, decision, name, pool)
            if not note and pool:
                note = "left out; why is not in the log" if name in pool else "not among those that the rule names"
            yield ModelLine(name, candidate.cluster, 0, story.scores.get(name), note)


def _beyond(terms: Terms, decision: Decision, name: str, pool: frozenset[str]) -> str:
    """Say of a model that would stand in the chain, were it longer, that as many are tried as may be."""
    policy, most = terms.policy, terms.policy.fallback.attempts
    behind = name in pool or name in (policy.default, *policy.fallback.models)
    is_cut = decision.reason is not Reason.NAMED and len(decision.chain) == most
    return f"not tried: `fallback.attempts` is {most}" if behind and is_cut else ""


def _pool(terms: Terms, decision: Decision) -> frozenset[str]:
    """Return the models that the rule which chose may choose from; none where no rule of this name chose so."""
    pools = [
        frozenset(model.name for model in route.pool) for route in terms.policy.routes if route.name == decision.rule
    ]
    return next((pool for pool in pools if decision.model in pool), frozenset())


def conversation(terms: Terms, decision: Decision, *, unknown: str) -> str:
    """Say whether the conversation had a model, and kept it.

    Args:
        terms: what decided.
        decision: what it came to.
        unknown: what is said where it had none.
    """
    if terms.sticky_by is None:
        return "each request stands for itself (routing.sticky_by: none)"
    if decision.sticky:
        return f"{decision.sticky} the model that it had (routing.sticky_by: {terms.sticky_by})"
    return unknown
