from __future__ import annotations

from extproc_router.lab.hunt import engines
from extproc_router.lab.hunt.engines import MUTANTS
from extproc_router.lab.hunt.mutant import Mutant


def test_the_list_is_long_and_no_name_stands_twice() -> None:
    assert len(MUTANTS) >= 20
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_an_engine_that_is_whole_is_missed() -> None:
    result = engines.try_mutant(Mutant("whole", ()), seed=0, most=40)
    assert (result.name, result.caught, result.how) == ("whole", False, "40 cases without a leak")


def test_how_it_was_caught_can_be_replayed() -> None:
    result = engines.try_mutant(MUTANTS[6], seed=0)
    assert result.how.startswith("--seed=0 --case=")
