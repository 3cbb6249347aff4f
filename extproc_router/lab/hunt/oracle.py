"""What may become of a case, worked out from what was planted and not from what the engine says.

It knows no more of the engine than its answer: which clusters Envoy is told, which bodies go on, who was asked what.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from extproc_router.lab.hunt import clauses, truths, wire
from extproc_router.lab.hunt.clauses import ABSENT, OPEN, SURELY
from extproc_router.lab.hunt.policies import Guard
from extproc_router.lab.hunt.requests import TIER_HEADER, Shape
from extproc_router.lab.hunt.sources import EMBEDDING, PERSON, PRIVATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from extproc_router.lab.hunt.answering import Round
    from extproc_router.lab.hunt.clauses import Bounds, Truth
    from extproc_router.lab.hunt.policies import Policy, Server
    from extproc_router.lab.hunt.requests import Case
    from extproc_router.types import Decision, Mutation

CLUSTER_HEADER = "x-selected-cluster"
"""Envoy routes by it."""


class Verdict(Struct, frozen=True):
    """What holds for a case.

    Attributes:
        tier: rank that the request has at least.
        stops: names of the rules for which no model may be reached.
        redacts: the rules that replace something.
    """

    tier: int
    stops: tuple[str, ...]
    redacts: tuple[Guard, ...]


def marked(policy: Policy, case: Case) -> int:
    """Read the header that says how private a request is: the highest tier named; one that is none is the highest."""
    value = case.http.headers.get(TIER_HEADER)
    if value is None:
        return 0
    highest, found = len(policy.tiers) - 1, 0
    for part in value.split(","):
        same = [rank for rank, name in enumerate(policy.tiers) if name.casefold() == part.strip().casefold()]
        found = max(found, max(same, default=highest))
    return found


def judge(policy: Policy, case: Case, rounds: Sequence[Round]) -> Verdict:
    """Say what holds for a case, once all is answered that will be."""
    truth = _truth(policy, case, rounds)
    tier, stops, redacts = marked(policy, case), list[str](), list[Guard]()
    for guard in policy.guards:
        surely, maybe = weigh(guard, truth)
        if guard.shadow or guard.action == "flag" or not (maybe if guard.strict else surely):
            continue
        if guard.action == "restrict":
            tier = max(tier, guard.tier)
        elif guard.action == "redact" and surely:
            redacts.append(guard)
        else:
            stops.append(guard.name)
    return Verdict(tier, tuple(stops), tuple(redacts))


def _truth(policy: Policy, case: Case, rounds: Sequence[Round]) -> Callable[[str], Truth]:
    hurt = truths.hurt_heads((told for each in rounds for told in each.told()), case)
    return lambda name: truths.truth(policy.sources[name], case, hurt)


def weigh(guard: Guard, truth: Callable[[str], Truth]) -> Bounds:
    """Say whether a rule surely applies, and whether it may."""
    surely, maybe = SURELY
    if guard.clause is not None:
        surely, maybe = clauses.weigh(guard.clause, truth, narrows=guard.action == "restrict")
    readable = OPEN if guard.signal and truth(guard.signal).absent else SURELY
    return surely and readable[0], maybe


def questions(policy: Policy, case: Case, rounds: Sequence[Round], verdict: Verdict) -> Iterator[str]:
    """Yield what is wrong with whatever language models were asked."""
    for number, each in enumerate(rounds):
        for question in each.questions:
            matcher = policy.sources[question.signal].matcher
            rank = policy.tiers.index(matcher) if matcher is not None else -1
            who = f"the language model of {question.signal!r}, cleared for {policy.tiers[rank]!r},"
            if rank < verdict.tier:
                yield f"{who} was asked about a request that is {policy.tiers[verdict.tier]!r}"
            if verdict.stops:
                yield f"{who} was asked though {', '.join(verdict.stops)} stops the request"
            if verdict.redacts:
                yield f"{who} was asked before {verdict.redacts[0].name} replaced anything"
            for name in _unsettled(policy, case, rounds, number):
                yield f"{who} was asked before {name} was settled"


def _unsettled(policy: Policy, case: Case, rounds: Sequence[Round], number: int) -> Iterator[str]:
    """Yield the rules that are settled by what was answered in a round or later, and were not before it."""
    before = [ask for each in rounds[:number] for ask in each.asks]
    asked = {head for ask in before for head in ask.heads} | {EMBEDDING for ask in before if ask.embedding}
    truth = _truth(policy, case, rounds)

    def so_far(name: str) -> Truth:
        head = policy.sources[name].head
        # Of a request that says nothing there is nothing to ask.
        return truth(name) if not head or head in asked or case.sketch.silent else ABSENT

    for guard in policy.guards:
        if not guard.shadow and guard.action != "flag" and weigh(guard, so_far) == OPEN != weigh(guard, truth):
            yield guard.name


def sent(policy: Policy, case: Case, verdict: Verdict, decision: Decision, mutation: Mutation) -> Iterator[str]:
    """Yield what is wrong with a request that goes on."""
    for name in verdict.stops:
        yield f"it goes on though {name} holds, or could not be decided"
    cluster = dict(mutation.set_headers).get(CLUSTER_HEADER)
    if cluster is None:
        return
    if case.shape is not Shape.READ:
        yield f"nobody read it, and it goes to {cluster!r}"
        return
    tier = policy.tiers[verdict.tier]
    if decision.privacy_tier not in policy.tiers[verdict.tier :]:
        yield f"it is {tier!r}, and is said to be {decision.privacy_tier!r}"
    body = _read(_body(case, mutation))
    yield from _reached(policy, verdict.tier, decision, cluster, body.models)
    yield from _unreplaced(verdict, case, body.text)
    yield from _walked(policy, case, verdict, decision, mutation)


def _walked(policy: Policy, case: Case, verdict: Verdict, decision: Decision, mutation: Mutation) -> Iterator[str]:
    """Yield what is wrong with the attempts that Envoy makes by itself."""
    for number, (cluster, changed) in enumerate(wire.attempts(decision, mutation, _body(case, mutation)), 1):
        read = _read(changed)
        there = [server for server in policy.servers.values() if server.cluster == cluster]
        asked = [server for server in there if read.models[-1:] == (server.served,)]
        if not asked:
            yield f"attempt {number} asks {cluster!r} for {read.models[-1:]}, which is not there"
        elif max(server.clearance for server in asked) < verdict.tier:
            tier = policy.tiers[verdict.tier]
            yield f"attempt {number} reaches {cluster!r}, cleared for {_cleared(policy, asked[0])}, and it is {tier!r}"
        for found in _unreplaced(verdict, case, read.text):
            yield f"attempt {number}: {found}"


def passed(policy: Policy, case: Case, verdict: Verdict) -> Iterator[str]:
    """Yield what is wrong with a request for which nothing was chosen: Envoy's default route may lead anywhere."""
    tier = marked(policy, case)
    has_content = case.shape in {Shape.READ, Shape.UNREAD} or (case.shape is Shape.OTHER and not policy.lets_through)
    if has_content:
        tier = max(tier, verdict.tier)
        for name in verdict.stops:
            yield f"it passes undecided though {name} holds, or could not be decided"
        for guard in verdict.redacts:
            yield f"it passes undecided though {guard.name} replaces something"
    if tier:
        yield f"it is {policy.tiers[tier]!r}, and passes undecided"


class _Body(Struct, frozen=True):
    """A body that goes on: what its own member `model` says each time, of which parsers take the last, and its text."""

    models: tuple[Any, ...] = ()
    text: str = ""


def _body(case: Case, mutation: Mutation) -> bytes:
    """Return what goes on: what the client sent, where nothing is put in its place."""
    return case.http.body or b"" if mutation.body is None else mutation.body


def _read(body: bytes) -> _Body:
    found: list[tuple[Any, ...]] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.append(tuple(value for name, value in pairs if name == "model"))
        return dict(pairs)

    try:
        document = json.loads(body, object_pairs_hook=note)
    except ValueError:
        return _Body()
    return _Body(found[-1], json.dumps(document, ensure_ascii=False))  # the outermost object ends last


def _reached(policy: Policy, tier: int, decision: Decision, cluster: str, models: Sequence[Any]) -> Iterator[str]:
    """Yield what is wrong with the models that may get it."""
    chain = [policy.servers.get(name) for name in decision.chain]
    if decision.chain[:1] != (decision.model,) or cluster != decision.cluster:
        yield f"Envoy is told {cluster!r}, the decision {decision.cluster!r} with {list(decision.chain)}"
    for name, server in zip(decision.chain, chain, strict=True):
        if server is None or server.clearance < tier:
            yield f"{name!r} may serve it, cleared for {_cleared(policy, server)}, and it is {policy.tiers[tier]!r}"
    first = policy.servers.get(decision.model)
    if first is None or first.cluster != cluster:
        yield f"{cluster!r} is not where {decision.model!r} runs"
    elif models[-1:] != (first.served,):
        yield f"the body asks for {models[-1:]}, not for {first.served!r}"
    for told in decision.shadow:
        server = policy.servers.get(told.partition("=")[2])
        if server is not None and server.clearance < tier:
            yield f"a shadow rule would have it served by {server.name!r}, cleared for {_cleared(policy, server)}"


def _cleared(policy: Policy, server: Server | None) -> str:
    return "nothing" if server is None else repr(policy.tiers[server.clearance])


def _unreplaced(verdict: Verdict, case: Case, text: str) -> Iterator[str]:
    """Yield personal data that a rule replaces, and that go on."""
    found = [plant for plant in case.sketch.plants if plant.label != PERSON or truths.finds_people(case.heads)]
    for guard in verdict.redacts:
        for plant in found:
            is_meant = plant.source == guard.signal and plant.label in (guard.types or PRIVATE)
            if is_meant and PRIVATE[plant.label] in text:
                yield f"{plant.label} goes on, though {guard.name} replaces it"
