from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.envoyconf.proof import duty

if TYPE_CHECKING:
    from tests.envoyconf.proof.conftest import Compile

SHARED = """
privacy_tiers: [low, mid, high]
models:
- {name: a, cluster: one, privacy: high}
- {name: b, cluster: one, privacy: mid}
- {name: c, cluster: two}
- {name: d, cluster: three, privacy: high}
safety:
- {name: first, when: {tools: true}, then: restrict, tier: mid}
- {name: tried, when: {tools: true}, then: restrict, shadow: true}
- {name: seen, when: {tools: true}, then: flag}
rules:
- {name: best, when: {stream: true}, use: [c, d]}
- {name: tested, use: a, shadow: true}
routing: {default: c}
"""


def test_a_cluster_is_cleared_for_what_all_its_models_are(compiled: Compile) -> None:
    found = duty.of(compiled(SHARED))
    assert found.clearance == {"one": 1, "two": 0, "three": 2}
    assert [found.cleared("one", rank) for rank in range(3)] == [True, True, False]
    assert (found.cleared("nobodys", 0), found.cleared("nobodys", 1)) == (True, False)


def test_the_highest_tier_of_each_cluster_is_told_with_a_way_to_it(compiled: Compile) -> None:
    chosen = duty.of(compiled(SHARED)).chosen
    assert {name: (rank, source.rule, source.attempt) for name, (rank, source) in chosen.items()} == {
        "three": (2, "best", 1),
        "one": (2, "default", 1),
    }


CHAINED = SHARED.replace("rules:", "fallback: {models: [a, c]}\nrules:").replace(
    "use: [c, d]", "use: [c, d], cascade: {}"
)


def test_what_a_chain_may_try_later_is_told_with_a_way_to_it(compiled: Compile) -> None:
    tried = duty.of(compiled(SHARED)).tried
    assert tried == {}
    tried = duty.of(compiled(CHAINED)).tried
    assert {name: (rank, source.rule, source.attempt) for name, (rank, source) in tried.items()} == {
        "three": (2, "best", 2),  # the cascade's third attempt is its first model's
        "one": (2, "best", 2),
    }


def test_rules_that_only_look_demand_nothing(compiled: Compile) -> None:
    found = duty.of(compiled(SHARED))
    assert (found.rank, found.restricts, found.seals, found.guards, found.empty) == (1, "first", "", True, False)


@pytest.mark.parametrize(("text", "seals", "empty"), [("nothing", "", True), ("blocks", "attacks", False)])
def test_one_tier_without_rules_is_nothing_to_prove(compiled: Compile, text: str, seals: str, empty: bool) -> None:
    found = duty.of(compiled(text))
    assert (found.seals, found.empty) == (seals, empty)
