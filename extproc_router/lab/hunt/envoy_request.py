"""A request as a client sends it to Envoy, what the router makes of it, and where it may have gone."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Router(StrEnum):
    """What the router does with a request."""

    DECIDES = "decides"  # on a model's cluster
    PASSES = "passes"  # lets it go on without choosing
    ANSWERS = "answers"  # in place of any model
    CLOSES = "closes"  # ends its stream cleanly, before it said anything
    CLOSES_LATER = "closes later"  # the same, with the headers answered
    FAILS = "fails"  # ends its stream with an error
    FAILS_LATER = "fails later"
    HANGS = "hangs"  # past Envoy's timeout
    DEAD = "dead"  # nothing listens on its socket


CLOSED_CLEANLY = frozenset({Router.CLOSES, Router.CLOSES_LATER})
"""Envoy goes on then, whatever `failure_mode_allow` says."""
SPEAKS = frozenset({Router.DECIDES, Router.PASSES, Router.ANSWERS})
"""The others leave the request undecided."""


class Verdict(Struct, frozen=True):
    """What a router that speaks says.

    Attributes:
        router: one of `SPEAKS`.
        cluster: that it decided on; empty where it did not.
        walk: how Envoy is to walk the chain, `fallback` or `cascade`; empty where there is none.
        chain: clusters of the attempts; the first is `cluster`.
    """

    router: Router
    cluster: str = ""
    walk: str = ""
    chain: tuple[str, ...] = ()


Speak: TypeAlias = Callable[[str | None], Verdict]
"""What a router says that sees this `x-privacy-tier`, repeated ones joined; None where it sees none."""


class Sent(Struct, frozen=True):
    """One request.

    Attributes:
        listener: the place of the listener in the file, from 0.
        host: as in `Host`.
        path: with query.
        headers: names as spelled, repeated ones repeated; values without blanks at their ends.
        router: what the router does with it, where it is asked.
        content: rank of the tier that the router's rules would give it for its content.
        choice: which of the models that are cleared a router that decides picks, from 0, round and round.
        walk: how a chain of them is to be walked, where there are several; empty for one model alone.
    """

    listener: int
    host: str
    path: str
    headers: tuple[tuple[str, str], ...]
    router: Router
    content: int = 0
    choice: int = 0
    walk: str = ""


class Outcome(Struct, frozen=True):
    """Where a request may have gone.

    Attributes:
        clusters: those with servers that may have received it, on any attempt, mirrors included.
        verdict: what the router said; None where it was silent, or was never asked.
    """

    clusters: frozenset[str]
    verdict: Verdict | None = None
