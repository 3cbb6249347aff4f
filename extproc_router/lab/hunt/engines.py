"""Engines that are broken on purpose, each at one place: a hunt that does not notice one is blind there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extproc_router.lab.hunt import broken_choices, broken_guards, broken_routers, running
from extproc_router.lab.hunt.tally import MutantResult

if TYPE_CHECKING:
    from extproc_router.lab.hunt.mutant import Mutant

MUTANTS: Final[tuple[Mutant, ...]] = (*broken_choices.MUTANTS, *broken_guards.MUTANTS, *broken_routers.MUTANTS)

MOST_CASES: Final = 10_000
"""After so many without a leak a mutant counts as missed."""


def try_mutant(mutant: Mutant, seed: int, most: int = MOST_CASES) -> MutantResult:
    """Hunt in a broken engine until it leaks."""
    with mutant.installed():
        for group in range(most // running.GROUP):
            for played in running.play(seed, group):
                if played.found:
                    how = f"{running.name(seed, played.number)}: {played.found[0]}"
                    return MutantResult(mutant.name, caught=True, how=how)
    return MutantResult(mutant.name, caught=False, how=f"{most} cases without a leak")
