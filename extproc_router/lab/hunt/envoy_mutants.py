"""Envoy files broken on purpose: each must lose its proof, and leak where the model of Envoy can run it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from extproc_router.lab.hunt import (
    envoy_broken,
    envoy_chains,
    envoy_files,
    envoy_hunt,
    envoy_opaque,
    envoy_oracle,
    envoy_spellings,
    envoy_upstream,
)
from extproc_router.lab.hunt.tally import MutantResult

if TYPE_CHECKING:
    from extproc_router.lab.hunt.envoy_broken import Mutant
    from extproc_router.lab.hunt.envoy_parts import Part

LEAKING = (*envoy_broken.MUTANTS, *envoy_chains.MUTANTS)
"""Those that the model of Envoy can run."""
MUTANTS = (*LEAKING, *envoy_opaque.MUTANTS, *envoy_spellings.MUTANTS, *envoy_upstream.MUTANTS)
_REQUESTS = 5000
_SHOWN = 150  # characters of what the proof says


def run(seed: int) -> list[MutantResult]:
    """Try to prove every mutant; one is caught where that fails, though its file was proved before."""
    return [_result(mutant, seed) for mutant in MUTANTS]


def broken(mutant: Mutant) -> Part:
    """Return the file of a mutant."""
    file = envoy_files.shipped(mutant.site)
    mutant.edit(file)
    return file


def leaks(mutant: Mutant, seed: int) -> bool:
    """Whether a request is found that leaks through a mutant, in the model.

    Raises:
        NotImplementedError: the model cannot run it.
    """
    attempts = envoy_hunt.attempts(mutant.site, broken(mutant), Random(f"{seed}:{mutant.name}"), _REQUESTS)
    return any(envoy_oracle.leaked(mutant.site, sent, outcome) for sent, outcome in attempts)


def _result(mutant: Mutant, seed: int) -> MutantResult:
    before = envoy_hunt.judged(mutant.site, envoy_files.shipped(mutant.site))
    after = envoy_hunt.judged(mutant.site, broken(mutant))
    name = f"envoy: {mutant.name}"
    if not before.proved:
        return MutantResult(name, caught=False, how="the file was not proved before")
    if after.proved:
        return MutantResult(name, caught=False, how="the proof still holds")
    told = "leak" if after.leaks else "not proved"
    how = f"{told}: {(*after.leaks, *after.unproved)[0].message}"
    return MutantResult(name, caught=True, how=how[:_SHOWN] + (", and it leaks" if _is_seen(mutant, seed) else ""))


def _is_seen(mutant: Mutant, seed: int) -> bool:
    return mutant in LEAKING and leaks(mutant, seed)
