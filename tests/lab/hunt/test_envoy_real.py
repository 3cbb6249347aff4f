"""More files go through real Envoy in tests/envoy/test_hunt.py."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest

from extproc_router.lab.hunt import envoy_broken, envoy_chains, envoy_files, envoy_hunt, envoy_mutants, envoy_real
from extproc_router.lab.hunt.envoy_model import Model
from extproc_router.lab.hunt.envoy_request import Outcome, Router, Sent
from extproc_router.lab.hunt.tally import Tally

pytestmark = pytest.mark.envoy


def test_a_mutant_leaks_in_real_envoy() -> None:
    [mutant] = [each for each in envoy_broken.MUTANTS if each.name == "repeated tiers not joined"]
    proof = envoy_hunt.judged(mutant.site, envoy_files.shipped(mutant.site))
    case = envoy_hunt.Case(mutant.site, envoy_mutants.broken(mutant), (mutant.name,), proof)
    twice = (("x-privacy-tier", "public"), ("x-privacy-tier", "restricted"))
    request = partial(Sent, 0, "gateway", "/v1/chat/completions", twice)

    with envoy_real.routers() as directory:
        walked = envoy_real.walk(case, [request(Router.DEAD), request(Router.DECIDES)], Random(1), directory)

    reached = {sent.router: set(outcome.clusters) for sent, outcome in walked}
    assert reached == {Router.DEAD: {"openai"}, Router.DECIDES: {"local"}}


def test_chains_are_walked_in_real_envoy() -> None:
    """Where no chain is read, its routes lead to their own clusters."""
    by_name = {each.name: each for each in envoy_chains.MUTANTS}
    mutant = by_name["a chain's metadata not received, and an external cluster in its place"]
    proof = envoy_hunt.judged(mutant.site, envoy_files.shipped(mutant.site))
    headers = (("x-privacy-tier", "internal"),)
    requests = [
        Sent(0, "gateway", "/v1/chat/completions", headers, Router.DECIDES, walk=walk)
        for walk in ("fallback", "cascade")
        for _ in range(12)
    ]

    reached = []
    with envoy_real.routers() as directory:
        for file in (envoy_files.shipped(mutant.site), envoy_mutants.broken(mutant)):
            case = envoy_hunt.Case(mutant.site, file, (), proof)
            walked = envoy_real.walk(case, requests, Random(1), directory)
            reached.append({frozenset(outcome.clusters) for _, outcome in walked})

    assert reached[0] == {frozenset({"local"}), frozenset({"local", "vault"})}
    assert frozenset({"openai"}) in reached[1]


def test_a_model_that_foresees_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind(Model):
        def run(self, *_: object) -> Outcome:
            return Outcome(frozenset())

    monkeypatch.setattr(envoy_real, "Model", Blind)
    leaks = envoy_real.run(seed=1, files=1).leaks
    assert leaks
    assert all(leak.story.startswith("unforeseen: ") for leak in leaks)


def test_nothing_is_wrong_in_no_file() -> None:
    assert envoy_real.run(seed=1, files=0) == Tally(0)
