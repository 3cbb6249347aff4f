from __future__ import annotations

from extproc_router.lab.hunt import envoy_mutants, envoy_upstream
from extproc_router.lab.hunt.envoy_files import shipped


def test_each_changes_the_file() -> None:
    for mutant in envoy_upstream.MUTANTS:
        assert envoy_mutants.broken(mutant) != shipped(mutant.site), mutant.name
