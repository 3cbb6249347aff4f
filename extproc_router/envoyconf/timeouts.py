"""Whether Envoy cuts answers that are still being written, or waited for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from extproc_router.envoyconf import chains
from extproc_router.router import CLUSTER_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding, Place
    from extproc_router.envoyconf.table import Host, Route

_SECONDS = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)s", re.ASCII)
_DEFAULT_IDLE = 300.0


def findings(host: Host, manager: Place, expected: Expected) -> Iterator[Finding]:
    """Judge the routes that lead to models.

    Args:
        host: its routes.
        manager: the connection manager that has it.
        expected: what the config expects.
    """
    for route in host.routes:
        if leads_to_models(host, route, expected) and not route.place.get("route").get("timeout").present:
            told = "is Envoy's default, 15 s: answers that take longer are cut, streams in their middle (write 0s)"
            yield route.place.get("route").mistake(f"{host.field(route)}.timeout", told)
    for route in chains.walking(host) if expected.chains else ():
        own = route.place.get("route").get("idle_timeout")
        idle = own if own.present else manager.get("stream_idle_timeout")
        seconds = _seconds(idle) if idle.present else _DEFAULT_IDLE
        if seconds and seconds <= expected.silent_seconds:
            told = (
                f"is {seconds:g} s, counted from the first attempt on, and the models of a chain may be silent for "
                f"{expected.silent_seconds:g} s (fallback.attempts, answer_seconds): the client gets a 504 before the "
                "last one is asked"
            )
            yield (idle if idle.present else route.place).mistake(f"{host.field(route)}.idle_timeout", told)


def leads_to_models(host: Host, route: Route, expected: Expected) -> bool:
    """Whether a route may send a request to a model's cluster."""
    named = route.cluster_header == CLUSTER_HEADER or route.cluster in expected.clusters
    return named or chains.specifier(host, route) is not None


def _seconds(duration: Place) -> float | None:
    """Return a duration in seconds; None for what Envoy refuses."""
    found = _SECONDS.fullmatch(duration.value) if isinstance(duration.value, str) else None
    return float(found[1]) if found else None
