"""What stands in front of every model: safety rules, all of which that apply do apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.policy.conditions import State
from extproc_router.policy.rules import Action, Safeguard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.policy.conditions import Read

_OPEN = (State.LOW, State.ABSENT)


class Guarded(Struct, frozen=True):
    """What the safety rules come to.

    Attributes:
        tier: rank of the request's privacy tier, no lower than before.
        stop: the rule that answers in a model's place, with `block` or `refuse`; None where the request may go on.
        unchecked: the rule that could not be decided and must not be passed by; None where there is none.
        redact: the rules whose personal data go.
        applied: names of what applied, as `name=action`.
        shadow: what would have, likewise.
        pending: signals without which it is not settled; empty where it is.
    """

    tier: int
    stop: Safeguard | None = None
    unchecked: Safeguard | None = None
    redact: tuple[Safeguard, ...] = ()
    applied: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    pending: frozenset[str] = frozenset()


def guard(safeguards: Sequence[Safeguard], tier: int, read: Read) -> Guarded:
    """Evaluate the safety rules.

    A signal that is absent can only make the outcome stricter: a strict rule that needed it restricts, or holds the
    request back as unchecked. A label below its floor restricts likewise.

    Args:
        safeguards: strictest action first.
        tier: rank that the request has already.
        read: reads a signal.
    """
    unchecked: Safeguard | None = None
    redact: list[Safeguard] = []
    applied: list[str] = []
    shadow: list[str] = []
    pending: set[str] = set()
    for rule in safeguards:
        applies = rule.applies
        state = applies.state(read)
        if state is State.PENDING:
            pending |= applies.pending(read)
            continue
        # Only a rule that restricts knows LOW.
        hit, missed = state is State.YES, state in _OPEN and rule.strict
        if rule.shadow:
            shadow += [told(rule)] * hit
        elif hit and rule.action in (Action.BLOCK, Action.REFUSE):
            # No model is reached, whatever the other rules would say.
            return Guarded(tier, stop=rule, applied=(*applied, told(rule)), shadow=tuple(shadow))
        elif rule.action is Action.RESTRICT and (hit or missed):
            tier = max(tier, rule.tier)
            applied.append(told(rule))
        elif hit:
            applied.append(told(rule))
            redact += [rule] * (rule.action is Action.REDACT)
        elif missed and rule.action is not Action.FLAG:
            unchecked = unchecked or rule
    return Guarded(
        tier,
        unchecked=None if pending else unchecked,
        redact=tuple(redact),
        applied=tuple(applied),
        shadow=tuple(shadow),
        pending=frozenset(pending),
    )


def told(rule: Safeguard) -> str:
    """Write a rule as decisions tell it."""
    return f"{rule.name}={rule.action}"
