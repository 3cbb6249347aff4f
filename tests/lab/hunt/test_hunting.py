from __future__ import annotations

import io
import re
from typing import Any

import pytest

from extproc_router.lab.hunt import __main__ as command
from extproc_router.lab.hunt import engines, envoy_hunt, envoy_mutants, envoy_real, hunting, running
from extproc_router.lab.hunt.hunting import FILES, POLICIES, Job
from extproc_router.lab.hunt.report import Bag
from extproc_router.lab.hunt.tally import Leak, MutantResult, Tally


def test_a_plan_has_as_many_cases_as_it_was_asked_for() -> None:
    jobs = hunting.plan(10_050, seed=3)
    files = [job.arguments for job in jobs if job.what == FILES]
    assert all(job.work is envoy_hunt.run for job in jobs if job.what == FILES)
    policies = [job.arguments[1] for job in jobs if job.what == POLICIES]
    assert sum(cases for cases, _ in files) == 502
    assert len({seed for _, seed in files}) == len(files)
    assert [number for part in policies for number in part] == [*range(10_050 - 502)]
    assert all(part.start % running.GROUP == 0 for part in policies)
    mutants = [job for job in jobs if not job.what]
    assert len(mutants) == 1 + len(engines.MUTANTS)
    assert mutants[0] == Job("", envoy_mutants.run, (3,))


def test_an_engine_is_tried_by_its_place() -> None:
    assert [(result.name, result.caught) for result in hunting.try_engine(6, 0)] == [(engines.MUTANTS[6].name, True)]


def test_jobs_are_done_by_other_processes_and_put_together() -> None:
    progress = io.StringIO()
    jobs = [
        Job(POLICIES, running.hunt, (0, range(20))),
        Job("", hunting.try_engine, (6, 0)),
        Job(POLICIES, running.hunt, (0, range(20, 30))),
    ]
    bag = hunting.carry_out(jobs, 1, progress)
    assert bag.tallies == {POLICIES: Tally(30)}
    assert [result.caught for result in bag.mutants] == [True]
    assert progress.getvalue().endswith("\rcases 30, leaks 0, jobs 3 of 3 \n")


BAGS = {
    0: Bag({"policies": Tally(10)}, (MutantResult("one", caught=True, how="case 3"),)),
    1: Bag({"policies": Tally(10, (Leak("--seed=0 --case=1", "out"),))}, ()),
}


@pytest.mark.parametrize("status", BAGS)
def test_the_command_tells_machines_and_people(
    status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def run(*of: Any) -> Bag:
        asked.append(of)
        return BAGS[status]

    monkeypatch.setattr(hunting, "run", run)
    assert command.main(["--cases=10", "--seed=4", "--jobs=1"]) == status
    assert asked == [(10, 4, 1)]
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"cases \d+, leaks \d+, mutants caught \d+ of \d+", last)


def test_one_case_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--case=25"]) == 0
    assert capsys.readouterr().out.startswith("tiers: ")


def test_real_envoy_walks_a_sample_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def walk(seed: int, files: int) -> Tally:
        asked.append((seed, files))
        return Tally(files)

    monkeypatch.setattr(hunting, "carry_out", lambda *_: Bag({POLICIES: Tally(10)}, ()))
    monkeypatch.setattr(envoy_real, "run", walk)
    assert hunting.run(100_000, 7, 2, io.StringIO()).samples == {hunting.REAL: Tally(20)}
    assert hunting.run(10, 7, 2, io.StringIO()).samples == {hunting.REAL: Tally(1)}
    assert asked == [(7, 20), (7, 1)]
