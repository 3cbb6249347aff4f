from __future__ import annotations

from random import Random

import pytest

from extproc_router.lab.hunt import envoy_files, envoy_hunt, envoy_oracle, envoy_site
from extproc_router.lab.hunt.envoy_model import plain


@pytest.mark.parametrize("place", range(60))
def test_no_request_leaks_through_a_safe_file(place: int) -> None:
    rng = Random(place)
    site = envoy_site.draw(rng)
    file = envoy_files.draw(rng, site)
    attempts = list(envoy_hunt.attempts(site, file, rng, 40))
    assert [sent for sent, outcome in attempts if envoy_oracle.leaked(site, sent, outcome)] == []


def test_safe_files_reach_models() -> None:
    """A file that reaches nothing is safe, and nobody's."""
    rng = Random(1)
    site = envoy_site.Site(("public", "restricted"), (envoy_site.Model("m", "local", 1),))
    attempts = envoy_hunt.attempts(site, envoy_files.draw(rng, site), rng, 40)
    assert any(outcome.clusters for _, outcome in attempts)


def test_camel_case_says_the_same() -> None:
    rng = Random(3)
    file = envoy_files.draw(rng, envoy_site.draw(rng))
    spelled = envoy_files.camel(rng, file)
    assert spelled != file
    assert plain(spelled) == plain(file)
