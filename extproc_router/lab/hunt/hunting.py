"""The whole hunt: what there is to do, and who does it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from extproc_router.lab.hunt import engines, envoy_hunt, envoy_mutants, envoy_real, running
from extproc_router.lab.hunt.report import Bag
from extproc_router.lab.hunt.tally import MutantResult, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

POLICIES: Final = "policies, in process"
FILES: Final = "Envoy files, in a model"
REAL: Final = "Envoy files, in real Envoy"

_FILES_SHARE = 20  # of so many cases one is an Envoy file
_POLICIES_CHUNK = 50 * running.GROUP  # cases of one job: a second
_FILES_CHUNK = 100
_NEXT_SEED = 1_000_003  # from one job of Envoy files to the next
_REAL_SHARE = 5_000  # of so many cases one is walked through real Envoy, too
_MOST_REAL = 20


class Job(Struct, frozen=True):
    """Something to do in a process of its own.

    Attributes:
        what: it hunts; empty where it tries mutants.
        work: returns a `Tally`, or the results of mutants.
        arguments: of `work`.
    """

    what: str
    work: Callable[..., Tally | list[MutantResult]]
    arguments: tuple[Any, ...]


def plan(cases: int, seed: int) -> list[Job]:
    """Part a hunt into jobs, what takes longest first.

    Args:
        cases: requests to policies and Envoy files together, at least 1.
        seed: the same one gives the same cases.
    """
    files = cases // _FILES_SHARE
    jobs = [Job("", envoy_mutants.run, (seed,))]
    jobs += [
        Job(FILES, envoy_hunt.run, (min(_FILES_CHUNK, files - start), seed + number * _NEXT_SEED))
        for number, start in enumerate(range(0, files, _FILES_CHUNK))
    ]
    jobs += [Job(POLICIES, running.hunt, (seed, part)) for part in chunks(cases - files, _POLICIES_CHUNK)]
    return jobs + [Job("", try_engine, (place, seed)) for place in range(len(engines.MUTANTS))]


def chunks(cases: int, size: int) -> list[range]:
    """Part numbers of cases into ranges of one size, the last perhaps shorter."""
    return [range(start, min(start + size, cases)) for start in range(0, cases, size)]


def try_engine(place: int, seed: int) -> list[MutantResult]:
    """Hunt in one of the broken engines: its place is sent from process to process, for it cannot be."""
    return [engines.try_mutant(engines.MUTANTS[place], seed)]


def run(cases: int, seed: int, processes: int, progress: TextIO = sys.stderr) -> Bag:
    """Hunt.

    Args:
        cases: as in `plan`, like the seed.
        seed: where chance comes from.
        processes: at once, at least 1.
        progress: gets a line that is written over and over.
    """
    bag = carry_out(plan(cases, seed), processes, progress)
    # On its own: Envoy's timeouts are real.
    real = envoy_real.run(seed, min(_MOST_REAL, -(-cases // _REAL_SHARE)))
    return Bag(bag.tallies, bag.mutants, {REAL: real})


def carry_out(jobs: Sequence[Job], processes: int, progress: TextIO) -> Bag:
    """Do jobs at once, and put together what comes of them, in their order."""
    # Not forked: libraries below have threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(job.work, *job.arguments) for job in jobs]
        cases = leaks = 0
        for done, future in enumerate(as_completed(waiting), 1):
            result = future.result()
            if isinstance(result, Tally):
                cases, leaks = cases + result.cases, leaks + len(result.leaks)
            progress.write(f"\rcases {cases}, leaks {leaks}, jobs {done} of {len(jobs)} ")
            progress.flush()
        progress.write("\n")
    results = [future.result() for future in waiting]
    tallies: dict[str, Tally] = {}
    mutants: list[MutantResult] = []
    for job, result in zip(jobs, results, strict=True):
        if isinstance(result, Tally):
            before = tallies.get(job.what, Tally(0))
            tallies[job.what] = Tally(before.cases + result.cases, before.leaks + result.leaks)
        else:
            mutants += result
    return Bag(tallies, tuple(mutants))
