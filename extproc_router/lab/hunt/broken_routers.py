"""Engines that decide rightly and then do another thing: requests let pass, questions asked too early, answers bent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from extproc_router import dialects
from extproc_router.lab.hunt.mutant import Make, Mutant, Part, Patch, broken
from extproc_router.router import chaining, compose
from extproc_router.router.bodies import Bodies
from extproc_router.router.passing import Passing
from extproc_router.router.router import Plan, Router
from extproc_router.types import Answer, Mutation

if TYPE_CHECKING:
    from collections.abc import Callable

_HIGHEST = 99  # rank of a tier that no policy has


def _asks_at_once(_: Part) -> Part:
    """Ask language models together with the encoder."""

    def plan(_self: Router, opened: Part, _guarded: Part, waiting: Part) -> Plan:
        asks, questions = opened.readings.asks(waiting)
        return Plan(asks, questions, opened)

    return plan


def _asks_anybody(plan: Part) -> Part:
    """Ask language models whatever they are cleared for."""

    def planned(self: Router, *of: Part) -> Part:
        terms = self.terms
        self.terms = replace(terms, matchers=dict.fromkeys(terms.matchers, _HIGHEST))
        try:
            return plan(self, *of)
        finally:
            self.terms = terms

    return planned


def _guarded(**changes: Part) -> Make:
    """Go on with something else than the safety rules came to."""
    return lambda go_on: lambda self, opened, guarded, *rest: go_on(self, opened, replace(guarded, **changes), *rest)


def _header_alone(advance: Part) -> Part:
    return lambda self, opened, guarded: advance(self, opened, replace(guarded, tier=opened.tier))


def _tells_the_header(advance: Part) -> Part:
    """Say of a decision that it was made for the tier that the header names."""

    def advanced(self: Router, opened: Part, guarded: Part) -> Part:
        decision = replace(opened.decision, privacy_tier=self._policy.tiers[opened.tier])
        return advance(self, replace(opened, decision=decision), guarded)

    return advanced


def _sent(change: Callable[[Mutation, Part], Mutation]) -> Make:
    """Tell Envoy another thing than what was decided."""

    def make(send: Part) -> Part:
        def sent(opened: Part, choice: Part, *rest: Part) -> Answer:
            answer: Answer = send(opened, choice, *rest)
            assert isinstance(answer.action, Mutation)  # noqa: S101 - it goes on
            return replace(answer, action=change(answer.action, choice))

        return sent

    return make


def _last_cluster(mutation: Mutation, choice: Part) -> Mutation:
    headers = dict(mutation.set_headers) | {compose.CLUSTER_HEADER: choice.chain[-1].cluster}
    return replace(mutation, set_headers=tuple(headers.items()))


def _no_cluster(mutation: Mutation, _: Part) -> Mutation:
    return replace(mutation, set_headers=mutation.set_headers[1:])


def _everybody_tries(advance: Part) -> Part:
    """Have Envoy walk all models, and tell of those alone that may serve the request."""

    def advanced(self: Router, *of: Part) -> Part:
        def walk(opened: Part, choice: Part, redactions: Part, fallback: Part) -> Part:
            rest = [model for model in self.terms.policy.candidates.values() if model not in choice.chain]
            longer = replace(choice, chain=(*choice.chain, *rest))
            every = replace(fallback, attempts=len(longer.chain))
            return replace(original(opened, longer, redactions, every), models=choice.chain)

        original = chaining.walk
        with Patch(chaining, "walk", lambda _: walk).installed():
            return advance(self, *of)

    return advanced


def _redacted_once(edits: Part) -> Part:
    """Leave what is replaced in the bodies of all attempts but the first."""

    def made(self: Bodies, model: Part, **how: Part) -> Part:
        all_edits, changes = edits(self, model, **how)
        later = model is not self._choice.chain[0] and self._redactions
        return (all_edits[: -len(self._redactions)] if later else all_edits), changes

    return made


def _let_pass(answer: Part) -> Part:
    """Give the answer's request to Envoy's default route."""
    return lambda self, *of: _passed(answer(self, *of))


def _unjudged(_: Part) -> Part:
    return lambda self, _http, decision, why, tier, _tell: self.go_on(decision, why, tier)


def _passed(answer: Answer) -> Answer:
    return replace(answer, action=Mutation())


def _finished_by_another() -> Mutant:
    """Hand a plan to the router that was built last, as a reload in mid-request might."""
    built: list[Router] = []

    def init(original: Part) -> Part:
        def noted(self: Router, *of: Part) -> None:
            original(self, *of)
            built[:] = [self]

        return noted

    def decide(original: Part) -> Part:
        return lambda self, plan, answers: original(built[0] if built else self, plan, answers)

    patches = (Patch(Router, "__init__", init), Patch(Router, "decide", decide))
    return Mutant("a reload finishes what another router began", patches)


MUTANTS: Final = (
    broken("language models are asked at once", Router, "_plan", _asks_at_once),
    broken("language models are asked above their tier", Router, "_plan", _asks_anybody),
    broken("language models are asked before redaction", Router, "_plan", _guarded(redact=())),
    broken("language models are asked before all is known", Router, "_plan", _guarded(pending=frozenset())),
    broken("the header alone decides the tier", Router, "_advance", _header_alone),
    broken("the decision tells the header's tier", Router, "_advance", _tells_the_header),
    broken("the chain's last cluster is told", compose, "send", _sent(_last_cluster)),
    broken("no cluster is told", compose, "send", _sent(_no_cluster)),
    broken("the body keeps its model", dialects, "edit", lambda _: lambda *_of: ((), ())),
    broken("all models are tried", Router, "_advance", _everybody_tries),
    broken("attempts keep the first one's body", dialects, "splices", lambda _: lambda *_of: ()),
    broken("the first attempt alone has something replaced", Bodies, "edits", _redacted_once),
    broken("nothing is replaced", compose, "_redactions", lambda _: lambda *_of: iter(())),
    broken("what is held back passes", Passing, "go_on", _let_pass),
    broken("bodies that nobody reads pass", Passing, "unread", _let_pass),
    broken("other paths pass", Passing, "other_path", _let_pass),
    broken("what there is no room for passes", Passing, "no_room", _let_pass),
    broken("what nobody reads is not judged by its headers", Passing, "by_headers", _unjudged),
    _finished_by_another(),
)  # fmt: skip
"""What is broken in what Envoy is told."""
