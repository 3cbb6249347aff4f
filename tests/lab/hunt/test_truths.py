"""What the hunt knows by construction is what real signals say, of thousands of requests."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from extproc_router.lab.hunt import answering, policies, requests, truths
from extproc_router.lab.hunt.clauses import ABSENT, Truth
from extproc_router.lab.hunt.faults import Faults
from extproc_router.lab.hunt.requests import Shape
from extproc_router.lab.hunt.sources import LONG
from extproc_router.lab.hunt.walking import Desk
from extproc_router.router import Opened, Plan

if TYPE_CHECKING:
    from extproc_router.lab.hunt.requests import Case
    from extproc_router.lab.hunt.sources import Source
    from extproc_router.types import Signal


def cases(desk: Desk, seed: int) -> list[Case]:
    """Requests that can be read, with nothing wrong."""
    rng, policy = random.Random(seed), desk.policy
    drawn = (requests.draw(rng, policy.sources, policy.tiers, ("auto",)) for _ in range(30))
    found = [replace(case, faults=Faults()) for case in drawn if case.shape is Shape.READ and not case.sketch.ids]
    # A few give their model twice, which is refused where a rule reads the prompt.
    opened = [case for case in found if isinstance(desk.router.open(case.http, "id"), Opened)]
    assert len(opened) > len(found) / 2
    return opened


def read(desk: Desk, case: Case, names: list[str]) -> dict[str, Signal]:
    """What the real signals say."""
    opened = desk.router.open(case.http, "id")
    assert isinstance(opened, Opened)
    asks, _ = opened.readings.asks(names)
    answers, _ = answering.answer(case, Plan(asks, (), opened))
    opened.readings.take(answers)
    return {name: opened.readings.read(name) for name in names}


def check(source: Source, truth: Truth, signal: Signal) -> None:
    assert bool(signal.absent) is truth.absent
    if truth.absent:
        return
    assert signal.labels >= truth.labels if source.kind == "conversation" else signal.labels == truth.labels
    assert abs(signal.confidence - truth.confidence) < 0.08
    if source.kind in {"context", "length"}:
        assert ((signal.number or 0) >= LONG) is ((truth.number or 0) >= LONG)
    elif source.numeric and source.kind != "pii" and not (source.kind == "conversation" and (truth.number or 0) < 2):
        assert signal.number == truth.number


def test_signals_say_what_was_planted() -> None:
    seen: set[str] = set()
    for seed in range(40):
        desk = Desk(policies.draw(random.Random(seed)))
        named = {name: source for name, source in desk.policy.sources.items() if source.matcher is None}
        for case in cases(desk, seed):
            for name, signal in read(desk, case, [*named]).items():
                check(named[name], truths.truth(named[name], case), signal)
                seen.add(named[name].kind)
    assert len(seen) == 18


def test_what_cannot_be_read_is_absent() -> None:
    desk = Desk(policies.draw(random.Random(5)))
    case = cases(desk, 5)[0]
    for name, source in desk.policy.sources.items():
        assert truths.truth(source, replace(case, faults=Faults({name: "read"}))) == ABSENT
        unread = truths.truth(source, replace(case, shape=Shape.UNREAD))
        assert unread.absent is not (source.is_fact and case.given[name] is not None)
        if source.head:
            assert truths.truth(source, case, {source.head}) == ABSENT


def test_which_heads_are_hurt() -> None:
    case = requests.draw(random.Random(3), {}, ("low", "high"), ("auto",))
    asked = [(True, frozenset({"domain", "pii"}), False), (False, frozenset({"jailbreak"}), True)]
    sane = replace(case, faults=Faults(), heads=replace(case.heads, abstains=False))
    assert truths.hurt_heads(iter(asked), sane) == {"jailbreak", "(embedding)"}
    lost = replace(sane, faults=Faults(lost=frozenset({"domain", "pii"})))
    assert truths.hurt_heads(iter(asked[:1]), lost) == {"domain", "pii"}
    # Where there is nothing to read, nobody looks for what is missing.
    blind = replace(lost, heads=replace(case.heads, abstains=True))
    assert truths.hurt_heads(iter(asked[:1]), blind) == {"pii"}
