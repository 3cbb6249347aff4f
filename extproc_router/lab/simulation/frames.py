"""Server-sent events as real servers spell them: comments, CRLF, no end, many in a write, cut anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.simulation.answer import DONE, Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extproc_router.lab.simulation.behaviour import Behaviour

COMMENT = b": keep-alive\n\n"


def spelled(events: Sequence[Event], behaviour: Behaviour) -> tuple[Event, ...]:
    """Join and spell a stream's events as `behaviour` has them; each of the results goes out at one time."""
    kept = [each for each in events if each is not DONE or not behaviour.without_done]
    size = behaviour.events_per_write
    return tuple(_joined(kept[start : start + size], behaviour) for start in range(0, len(kept), size))


def pieces(data: bytes, size: int | None) -> Iterator[bytes]:
    """Cut bytes into pieces of `size`, the last one shorter; one piece where it is None."""
    step = size or max(1, len(data))
    return (data[start : start + step] for start in range(0, len(data), step))


def _joined(events: Sequence[Event], behaviour: Behaviour) -> Event:
    data = b"".join((COMMENT if behaviour.comments else b"") + each.data for each in events)
    # JSON has no raw line feeds: those that are here end lines.
    return Event(data.replace(b"\n", b"\r\n") if behaviour.crlf else data, sum(each.tokens for each in events))
