"""Which rule a request comes to: the first that matches, as far as the signals at hand can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.policy import keys
from extproc_router.policy.conditions import PENDING_SIGNAL, State
from extproc_router.policy.rules import Route, Think

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.policy.base import Situation
    from extproc_router.policy.conditions import Read

REASONING = "reasoning"
"""The signal that `reasoning: auto` reads."""

_ALL = 100.0  # percent
_NO = State.NO


class Match(Struct, frozen=True):
    """Where the rules lead.

    Attributes:
        route: the rule that matched; None where none did.
        shed: the rule before which it ended, because a signal that it needs is absent; None where there is none.
        low: the first rule that might have matched, had a signal been surer; None likewise.
        shadows: the shadow rules that match.
        pending: signals without which all this is not settled; empty where it is.
    """

    route: Route | None
    shed: Route | None
    low: Route | None
    shadows: tuple[Route, ...]
    pending: frozenset[str]


def match(routes: Sequence[Route], situation: Situation) -> Match:
    """Find the first rule that matches.

    Where an earlier rule waits for a signal, later ones are looked at all the same, for what they would need: all of it
    is asked for in one round.
    """
    read = situation.signal
    pending: frozenset[str] = frozenset()
    shadows: list[Route] = []
    low: Route | None = None
    for route in routes:
        # Most rules do not match: what is looked at first costs least.
        state = route.condition.state(read)
        if state is _NO or not takes_part(route, situation):
            continue
        if state is State.PENDING:
            pending |= route.condition.pending(read) | _waiting(route, read)
        elif route.shadow:
            if state is State.YES:
                pending |= _waiting(route, read)
                shadows.append(route)
        elif state is State.YES:
            return Match(route, None, low, tuple(shadows), pending | _waiting(route, read))
        elif state is State.ABSENT:
            # Whether it matches cannot be known, so neither can whether a later one may.
            return Match(None, route, low, tuple(shadows), pending)
        else:
            low = low or route
    return Match(None, None, low, tuple(shadows), pending)


def takes_part(route: Route, situation: Situation) -> bool:
    """Whether a request is among the rule's percentage; one without the key to be told apart by is not."""
    if route.percent >= _ALL:
        return True
    key = situation.key(route.by)
    return key is not None and keys.share(key, route.name) * _ALL < route.percent


def _waiting(route: Route, read: Read) -> frozenset[str]:
    """Return the signals that applying a rule takes and that were not asked for yet."""
    names = route.picker.needs | {REASONING} if route.edits.think is Think.AUTO else route.picker.needs
    return frozenset(name for name in names if read(name) is PENDING_SIGNAL)
