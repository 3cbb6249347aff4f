"""What a hunt brings home."""

from __future__ import annotations

from msgspec import Struct


class Leak(Struct, frozen=True):
    """A private request that reached, or might have reached, what is not cleared for it.

    Attributes:
        case: what replays it, e.g. `seed 7, case 4711`.
        story: lines for people: the config that matters, the request, the faults, and what was reached.
    """

    case: str
    story: str


class Tally(Struct, frozen=True):
    """How many cases were tried, and every leak among them."""

    cases: int
    leaks: tuple[Leak, ...] = ()


class MutantResult(Struct, frozen=True):
    """Whether something that was broken on purpose was noticed.

    Attributes:
        name: of the mutant.
        caught: whether any case showed it.
        how: in half a sentence, by what, or how many cases did not.
    """

    name: str
    caught: bool
    how: str
