from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from extproc_router.lab.hunt import envoy_broken, envoy_files, envoy_hunt, envoy_mutants, envoy_oracle

if TYPE_CHECKING:
    from extproc_router.lab.hunt.envoy_site import Site


@pytest.mark.parametrize("mutant", envoy_broken.MUTANTS, ids=lambda mutant: mutant.name)
def test_each_really_leaks(mutant: envoy_broken.Mutant) -> None:
    assert envoy_mutants.leaks(mutant, seed=1)


@pytest.mark.parametrize("site", [envoy_broken.OPEN, envoy_broken.RESTRICTING, envoy_broken.BLOCKING])
def test_none_did_before(site: Site) -> None:
    attempts = envoy_hunt.attempts(site, envoy_files.shipped(site), Random(1), 300)
    assert [sent for sent, outcome in attempts if envoy_oracle.leaked(site, sent, outcome)] == []
