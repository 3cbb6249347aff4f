"""A decision told afterwards: each rule in order with what it came to, and each model with what was held against it.

Everything is evaluated again from the same signals, which are remembered: the telling reads nothing that the decision
did not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.policy import filters, privacy
from extproc_router.policy.conditions import State
from extproc_router.policy.guarding import guard
from extproc_router.policy.matching import match, takes_part
from extproc_router.policy.rules import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Situation
    from extproc_router.policy.engine import Policy

_NOT_REACHED = "not reached"

_STATES = {
    State.NO: "no match",
    State.YES: "matched",
    State.LOW: "not sure",
    State.ABSENT: "absent",
    State.PENDING: "not read",
}


class Line(Struct, frozen=True):
    """What one rule came to: in a word, and in words. `why` is empty where it was not reached."""

    rule: str
    outcome: str
    why: str


class Story(Struct, frozen=True):
    """How it came.

    Attributes:
        safety: strictest first.
        rules: in file order.
        barred: model name -> why it may not or cannot serve this request.
        scores: model name -> what the strategy ranked it by; empty where it has no such number.
    """

    safety: tuple[Line, ...]
    rules: tuple[Line, ...]
    barred: Mapping[str, str]
    scores: Mapping[str, float]


def tell(policy: Policy, tier: int, situation: Situation, *, named: bool) -> Story:
    """Tell how a request was decided.

    Args:
        policy: what decided it.
        tier: rank of its privacy tier in the end.
        situation: the request, with signals that are remembered.
        named: whether the client named a model, so that no rule chose.
    """
    guarded = guard(policy.safeguards, tier, situation.signal)
    everybody = tuple(policy.candidates.values())
    cleared = privacy.cleared(everybody, tier)
    kept, dropped = filters.capable(cleared, situation)
    barred = {model.name: f"not cleared for {policy.tiers[tier]}" for model in everybody if model not in cleared}
    # Rules that were not asked then would now read signals that nobody has read.
    asked = bool(kept) and not (named or guarded.stop or guarded.unchecked)
    return Story(
        safety=tuple(_safety(policy, situation)),
        rules=() if named else tuple(_rules(policy, situation, asked=asked)),
        barred=barred | {name: refusal.why for name, refusal in dropped.items()},
        scores=_scores(policy, kept, situation) if asked else {},
    )


def _safety(policy: Policy, situation: Situation) -> Iterator[Line]:
    read = situation.signal
    stopped = False
    for rule in policy.safeguards:
        if stopped:
            yield Line(rule.name, _NOT_REACHED, "")
            continue
        applies = rule.applies
        state = applies.state(read)
        outcome = _STATES[state]
        if state is State.YES:
            outcome = f"shadow: {rule.action}" if rule.shadow else rule.action.value
            stopped = not rule.shadow and rule.action in (Action.BLOCK, Action.REFUSE)
        elif state is State.ABSENT and rule.strict and not rule.shadow and rule.action is not Action.FLAG:
            outcome = "restrict, to be safe" if rule.action is Action.RESTRICT else "unchecked"
        yield Line(rule.name, outcome, applies.explain(read))


def _rules(policy: Policy, situation: Situation, *, asked: bool) -> Iterator[Line]:
    read = situation.signal
    settled = not asked
    for route in policy.routes:
        if settled:
            yield Line(route.name, _NOT_REACHED, "")
            continue
        if not takes_part(route, situation):
            yield Line(route.name, "no match", f"not among its {route.percent:g} % by {route.by}")
            continue
        state = route.condition.state(read)
        why = route.condition.explain(read)
        if route.shadow:
            yield Line(route.name, f"shadow: {_STATES[state]}", why)
            continue
        settled = state in (State.YES, State.ABSENT)
        yield Line(route.name, _STATES[state], why)


def _scores(policy: Policy, kept: Sequence[Candidate], situation: Situation) -> dict[str, float]:
    """Return what the rule that matched ranked its models by."""
    route = match(policy.routes, situation).route
    pool = [candidate for candidate in route.pool if candidate in kept] if route else []
    ranked = route.picker.rank(pool, situation) if route and pool else None
    return dict(ranked.scores) if ranked else {}
