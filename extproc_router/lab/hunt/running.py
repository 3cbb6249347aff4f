"""Cases by number: each group of them shares a policy, and conversations that go on from one to the next."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from extproc_router.lab.hunt import policies, requests
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.policies import Policy
from extproc_router.lab.hunt.requests import Case
from extproc_router.lab.hunt.story import tell
from extproc_router.lab.hunt.tally import Leak, Tally
from extproc_router.lab.hunt.walking import Desk, Walk, leaks, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP: Final = 20
"""Cases that share a policy: loading one costs as much as ten cases."""

_RELOADED = 0.3  # share of the groups whose policy changes on the way


class Played(Struct, frozen=True):
    """A case that was walked.

    Attributes:
        number: of the case.
        policy: that it began under.
        case: the request and what went wrong.
        walked: what became of it.
        found: what is wrong with that; empty where nothing is.
    """

    number: int
    policy: Policy
    case: Case
    walked: Walk
    found: tuple[str, ...]


def play(seed: int, group: int, upto: int = GROUP) -> Iterator[Played]:
    """Walk the cases of a group in their order.

    Args:
        seed: of the hunt.
        group: its number: it holds the cases from `group * GROUP` on.
        upto: how many of them.
    """
    rng = random.Random(f"{seed}:group {group}")
    first = policies.draw(rng)
    desk = Desk(first)
    # What is loaded meanwhile has the same tiers and signals, and other models and rules.
    later = None
    if happens(rng, _RELOADED):
        later = Desk(policies.compose(rng, first.tiers, first.sources, first.floor), desk.held)
    for number in range(group * GROUP, group * GROUP + upto):
        policy = desk.policy
        case = requests.draw(random.Random(f"{seed}:{number}"), policy.sources, policy.tiers, policy.asked)
        walked = walk(desk, case)
        yield Played(number, policy, case, walked, tuple(leaks(desk, case, walked)))
        if case.faults.reloads and later is not None:
            desk, later = later, None


def hunt(seed: int, cases: range) -> Tally:
    """Walk cases, whole groups of them; the first and the last may be cut."""
    groups = range(cases.start // GROUP, -(-cases.stop // GROUP))
    found = [
        Leak(name(seed, played.number), tell(played))
        for group in groups
        for played in play(seed, group, min(GROUP, cases.stop - group * GROUP))
        if played.found and played.number in cases
    ]
    return Tally(len(cases), tuple(found))


def replay(seed: int, number: int) -> tuple[str, bool]:
    """Walk one case, after those of its group that came before; returns its story, and whether it leaks."""
    *_, played = play(seed, number // GROUP, number % GROUP + 1)
    return tell(played), bool(played.found)


def name(seed: int, number: int) -> str:
    """Say how a case is replayed."""
    return f"--seed={seed} --case={number}"
