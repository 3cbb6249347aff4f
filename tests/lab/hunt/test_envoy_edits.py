from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest

from extproc_router.lab.hunt import envoy_edits, envoy_files, envoy_hunt, envoy_oracle, envoy_site

if TYPE_CHECKING:
    from collections.abc import Callable


def edited(place: int) -> bool:
    """Whether a request leaks through a file that was edited at random."""
    rng = Random(f"edits {place}")
    site = envoy_site.draw(rng)
    file, _ = envoy_edits.apply(rng, site, envoy_files.draw(rng, site))
    return any(envoy_oracle.leaked(site, sent, outcome) for sent, outcome in envoy_hunt.attempts(site, file, rng, 30))


@pytest.mark.parametrize("edit", envoy_edits.EDITS, ids=lambda edit: edit.__name__)
def test_the_model_can_run_every_edit(edit: Callable[..., None]) -> None:
    for place in range(10):
        rng = Random(place)
        site = envoy_site.draw(rng)
        file = msgspec.json.decode(msgspec.json.encode(envoy_files.draw(rng, site)))
        edit(rng, site, file)
        assert len(list(envoy_hunt.attempts(site, file, rng, 5))) == 5


def test_the_original_stays_as_it_was() -> None:
    rng = Random(1)
    site = envoy_site.draw(rng)
    file = envoy_files.draw(rng, site)
    before = msgspec.json.encode(file)
    for _ in range(20):
        _, done = envoy_edits.apply(rng, site, file)
        assert 1 <= len(done) <= 3
    assert msgspec.json.encode(file) == before


def test_many_edits_are_unsafe() -> None:
    assert sum(edited(place) for place in range(40)) >= 5
