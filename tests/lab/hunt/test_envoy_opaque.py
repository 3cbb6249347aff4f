from __future__ import annotations

from extproc_router.lab.hunt import envoy_mutants, envoy_opaque
from extproc_router.lab.hunt.envoy_files import shipped


def test_names_are_each_once() -> None:
    names = [mutant.name for mutant in envoy_mutants.MUTANTS]
    assert len(names) == len(set(names)) >= 25


def test_each_changes_the_file() -> None:
    for mutant in envoy_opaque.MUTANTS:
        assert envoy_mutants.broken(mutant) != shipped(mutant.site), mutant.name
