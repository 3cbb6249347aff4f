from __future__ import annotations

from extproc_router.lab.hunt.report import Bag, last, lines
from extproc_router.lab.hunt.tally import Leak, MutantResult, Tally

CAUGHT = MutantResult("one", caught=True, how="case 3")
MISSED = MutantResult("another", caught=False, how="10 cases without a leak")


def test_the_last_line() -> None:
    bag = Bag({"policies": Tally(90), "files": Tally(10)}, (CAUGHT, CAUGHT))
    assert [*lines(bag)][-1] == last(bag) == "cases 100, leaks 0, mutants caught 2 of 2"
    assert bag.is_clean


def test_samples_leak_but_are_no_further_cases() -> None:
    bag = Bag({"policies": Tally(90)}, (), {"real": Tally(5, (Leak("seed 0:1", "it got out"),))})
    assert last(bag) == "cases 90, leaks 1, mutants caught 0 of 0"
    assert "real: cases 5, leaks 1" in lines(bag)
    assert not bag.is_clean


def test_leaks_and_mutants_are_told() -> None:
    bag = Bag({"policies": Tally(2, (Leak("--seed=0 --case=1", "first\nsecond"),))}, (CAUGHT, MISSED))
    assert [*lines(bag)] == [
        "LEAK, policies, --seed=0 --case=1",
        "    first",
        "    second",
        "MISSED  another  10 cases without a leak",
        "caught  one      case 3",
        "policies: cases 2, leaks 1",
        "cases 2, leaks 1, mutants caught 1 of 2",
    ]
    assert not bag.is_clean


def test_a_missed_mutant_is_no_success() -> None:
    assert not Bag({"policies": Tally(2)}, (MISSED,)).is_clean
