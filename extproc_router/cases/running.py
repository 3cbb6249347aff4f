"""Cases, decided one by one under a config."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router import wiring
from extproc_router.cases.checking import Difference, differences
from extproc_router.cases.readings import given
from extproc_router.cases.sending import earlier_of, http_of
from extproc_router.explaining.given import fresh, memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extproc_router.cases.loader import Table
    from extproc_router.cases.schema import Case
    from extproc_router.encoder import Encoder
    from extproc_router.router import Router
    from extproc_router.types import Answer


class Result(Struct, frozen=True):
    """What became of one case.

    Attributes:
        name: the case's.
        line: of the case in its file.
        differences: from what was expected; nothing where it passed.
        why: of the decision.
        seconds: that it took.
    """

    name: str
    line: int
    differences: tuple[Difference, ...]
    why: str
    seconds: float


def run(
    table: Table, router: Router, encoder: Encoder, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Result]:
    """Decide every case, each in a conversation of its own.

    Args:
        table: cases whose names the config has.
        router: decides.
        encoder: reads prompts for it, where their signals are not given.
        clock: monotonic seconds.
    """
    for index, case in enumerate(table.cases):
        started = clock()
        answer = decide(case, router, encoder)
        yield Result(
            case.name,
            table.line(index),
            differences(case.expect, answer, http_of(case).body or b""),
            answer.decision.why,
            clock() - started,
        )


def decide(case: Case, router: Router, encoder: Encoder) -> Answer:
    """Decide one case, after the earlier requests of its conversation."""
    held = memory()
    readers = router.terms.readers
    for entry, http in zip(case.after, earlier_of(case), strict=True):
        signals = {} if isinstance(entry, str) else entry.signals
        wiring.decide(fresh(router, given(signals, readers), held), encoder, http)
    answer, _ = wiring.decide(fresh(router, given(case.signals, readers), held), encoder, http_of(case))
    return answer
