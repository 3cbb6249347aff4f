"""Engines whose safety rules do less than they should: rules left out, open ones taken for closed, signals blind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from extproc_router.lab.hunt.mutant import Make, Part, broken
from extproc_router.policy import conditions, guarding
from extproc_router.policy.conditions import State
from extproc_router.policy.rules import Action
from extproc_router.router import readings
from extproc_router.router.readings import Readings
from extproc_router.router.router import Router
from extproc_router.signals import jailbreak
from extproc_router.signals.base import Subject
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

_OPEN = (State.LOW, State.ABSENT)


def _rules(change: Callable[[Part], Part]) -> Make:
    """Evaluate other safety rules than the config has."""
    return lambda guard: lambda rules, tier, read: guard([change(rule) for rule in rules], tier, read)


def _outcome(change: Callable[[Part, Part, int], Part]) -> Make:
    """Change what the safety rules come to."""
    return lambda guard: lambda rules, tier, read: change(guard(rules, tier, read), rules, tier)


def _sets(guarded: Part, rules: Part, tier: int) -> Part:
    """Set the tier to what the last rule says."""
    told = [rule.tier for rule in rules if rule.action is Action.RESTRICT and guarding.told(rule) in guarded.applied]
    return replace(guarded, tier=told[-1] if told else tier)


def _first_alone(guard: Part) -> Part:
    """Let the first rule that applies be the last one that is looked at."""

    def alone(rules: Part, tier: int, read: Part) -> Part:
        found = [guard([rule], tier, read) for rule in rules]
        told = (one for one in found if one.applied or one.stop or one.unchecked or one.pending)
        return next(told, guard((), tier, read))

    return alone


def _states(change: Callable[[State], State]) -> Make:
    return lambda state: lambda self, read: change(state(self, read))


def _open_is_no(state: State) -> State:
    return State.NO if state in _OPEN else state


def _low_is_no(state: State) -> State:
    return State.NO if state is State.LOW else state


def _named_are_free(advance: Part) -> Part:
    """Evaluate safety rules for those requests alone that leave the choice to us."""

    def advanced(self: Router, opened: Part) -> Part:
        policy = self._policy
        if not policy.is_auto(opened.request.model):
            self._policy = replace(policy, safeguards=())
        try:
            return advance(self, opened)
        finally:
            self._policy = policy

    return advanced


def _absent_is_nothing(read: Part) -> Part:
    def seen(self: Readings, name: str) -> Signal:
        signal: Signal = read(self, name)
        is_absent = signal.absent and signal is not conditions.PENDING_SIGNAL
        return Signal(name, "none", 1.0) if is_absent else signal

    return seen


def _no_header(guard: Part) -> Part:
    return lambda rules, _, read: guard(rules, 0, read)


def _last_turn(_: Part) -> Part:
    return lambda subject, _of: (subject.prompt,)


def _without(action: Action) -> Make:
    return _rules(lambda rule: replace(rule, action=Action.FLAG) if rule.action is action else rule)


MUTANTS: Final = (
    broken("restrict sets the tier", guarding, "guard", _outcome(_sets)),
    broken("restrict forgets the header", guarding, "guard", _no_header),
    broken("the first rule that applies is the last", guarding, "guard", _first_alone),
    broken("rules that restrict are taken for shadows", guarding, "guard",
           _rules(lambda rule: replace(rule, shadow=rule.shadow or rule.action is Action.RESTRICT))),
    broken("block is a flag", guarding, "guard", _without(Action.BLOCK)),
    broken("refuse is a flag", guarding, "guard", _without(Action.REFUSE)),
    broken("redact is a flag", guarding, "guard", _without(Action.REDACT)),
    broken("absent signals are skipped", guarding, "guard", _rules(lambda rule: replace(rule, strict=False))),
    broken("what could not be checked goes on", guarding, "guard",
           _outcome(lambda guarded, _rules, _tier: replace(guarded, unchecked=None))),
    broken("what waits is not waited for", guarding, "guard",
           _outcome(lambda guarded, _rules, _tier: replace(guarded, pending=frozenset()))),
    broken("low confidence is none", conditions.Test, "state", _states(_low_is_no)),
    broken("not: of what is open is no", conditions.Not, "state", _states(_open_is_no)),
    broken("any: forgets what is open", conditions.AnyOf, "state", _states(_open_is_no)),
    broken("all: ends at what is open", conditions.All, "state", _states(_open_is_no)),
    broken("not: is not read", conditions.Not, "state", lambda _: lambda self, read: self.part.state(read)),
    broken("named models are not guarded", Router, "advance", _named_are_free),
    broken("an absent signal says nothing", Readings, "read", _absent_is_nothing),
    broken("no number is one", readings, "_checked", lambda _: lambda signal: signal),
    broken("signals read the last turn alone", Subject, "incoming", lambda _: property(lambda self: self.prompt)),
    broken("signals read what users say alone", Subject, "everything", lambda _: property(lambda self: self.incoming)),
    broken("declarations of tools are not read", Subject, "declared", lambda _: property(lambda _: "")),
    broken("attacks are looked for in the last turn", jailbreak, "texts", _last_turn),
)  # fmt: skip
"""What is broken in guarding."""
