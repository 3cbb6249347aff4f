from __future__ import annotations

from random import Random

import pytest

from extproc_router.lab.hunt import envoy_broken, envoy_chains, envoy_files, envoy_hunt, envoy_mutants, envoy_oracle


@pytest.mark.parametrize("mutant", envoy_chains.MUTANTS, ids=lambda mutant: mutant.name)
def test_each_really_leaks(mutant: envoy_broken.Mutant) -> None:
    assert envoy_mutants.leaks(mutant, seed=1)


def test_none_did_before() -> None:
    attempts = envoy_hunt.attempts(envoy_chains.MIXED, envoy_files.shipped(envoy_chains.MIXED), Random(1), 300)
    assert [sent for sent, outcome in attempts if envoy_oracle.leaked(envoy_chains.MIXED, sent, outcome)] == []


def test_edits_of_chains_do_what_they_say() -> None:
    file = envoy_files.shipped(envoy_broken.OPEN)
    envoy_chains.spare("chain", "vault")(file)
    [group] = envoy_chains.specifier(file, "chain")["priority_groups"]
    assert group["clusters"] == [{"cluster_name": "vault", "weight": 1}]
    envoy_chains.tells("a", {"b": 1}, 1)(file)
    envoy_chains.received("a")(file)
    router, added, _ = envoy_broken.manager(file)["http_filters"]
    assert added["typed_config"]["metadata"][0]["metadata_namespace"] == "a"
    assert router["typed_config"]["metadata_options"] == {"receiving_namespaces": {"untyped": ["a"]}}
