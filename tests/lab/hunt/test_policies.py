from __future__ import annotations

import random

from extproc_router.lab.hunt import policies
from extproc_router.lab.hunt.walking import Desk
from extproc_router.policy.guarding import told
from extproc_router.policy.pickers import KINDS


def test_every_policy_loads_and_is_as_it_is_described() -> None:
    picked: set[str] = set()
    fallbacks = cascades = 0
    for seed in range(150):
        described = policies.draw(random.Random(seed))
        policy = Desk(described).router.terms.policy
        assert policy.tiers == described.tiers
        assert {
            name: (model.cluster, model.served_name, model.clearance) for name, model in policy.candidates.items()
        } == {name: (server.cluster, server.served, server.clearance) for name, server in described.servers.items()}
        expected = {(f"{guard.name}={guard.action}", guard.strict, guard.shadow) for guard in described.guards}
        assert {(told(rule), rule.strict, rule.shadow) for rule in policy.safeguards} == expected
        assert {rule.name: rule.tier for rule in policy.safeguards} == {
            guard.name: guard.tier for guard in described.guards
        }
        fallbacks += bool(policy.fallback.models)
        cascades += sum(route.cascade is not None for route in policy.routes)
        picked |= {type(route.picker).__module__.rpartition(".")[2] for route in policy.routes}
    assert picked == KINDS.keys()
    assert min(fallbacks, cascades) > 30


def test_a_policy_may_be_drawn_again_over_the_same_signals() -> None:
    rng = random.Random(1)
    first = policies.draw(rng)
    second = policies.compose(rng, first.tiers, first.sources, first.floor)
    assert second.sources == first.sources
    assert second.text != first.text
    Desk(second)
