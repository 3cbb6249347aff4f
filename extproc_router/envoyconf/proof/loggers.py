"""Who is told of requests beside servers: access loggers and tracers. Those that are known see heads, and no bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf.proof import extensions
from extproc_router.envoyconf.proof.doubts import Doubt
from extproc_router.envoyconf.proof.message import items, kind, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.envoyconf.place import Place

_CURE = "take it out, or look yourself and pass --allow-unproved"


def doubts(bootstrap: Mapping[str, Place]) -> Iterator[Doubt]:
    """Yield the loggers and tracers of a file that are not understood, wherever they stand."""
    if "tracing" in bootstrap:
        yield from _tracer(bootstrap["tracing"], "http")
    if "static_resources" in bootstrap:
        for listener in items(members(bootstrap["static_resources"]).get("listeners")):
            for message in listener.messages():
                # Configs of loggers hold no further ones, and what is written in both spellings is doubted elsewhere.
                for field in ("access_log", "upstream_log"):
                    for entry in items(message.get(field)):
                        yield from _known(field, entry, extensions.LOGGERS)
                if message.get("tracing").present:
                    yield from _tracer(message.get("tracing"), "provider")


def _tracer(tracing: Place, field: str) -> Iterator[Doubt]:
    provider = members(tracing).get(field)
    if provider is not None:
        yield from _known("tracing", provider, extensions.TRACERS)


def _known(field: str, entry: Place, types: frozenset[str]) -> Iterator[Doubt]:
    name = kind(members(entry).get("typed_config"))
    if name not in types:
        why = f"{name.rpartition('.')[2] or '?'} may send requests elsewhere: {_CURE}"
        yield Doubt(entry, f"{field}.{entry.text('name')}", why)
