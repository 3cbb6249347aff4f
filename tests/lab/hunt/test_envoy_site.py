from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.lab.hunt import envoy_site
from extproc_router.lab.hunt.envoy_request import Router, Sent, Verdict
from extproc_router.lab.hunt.envoy_site import Model, Site
from extproc_router.policy import privacy

SITE = Site(
    ("public", "internal", "restricted"),
    (Model("wide", "openai", 0), Model("trusted", "local", 2), Model("guest", "local", 1)),
    restricts=(2,),
    closes="block",
)
NAMES = st.sampled_from(["public", "Internal", "RESTRICTED", "", " public ", "restrictd", "\xa0public"])


def sent(router: Router, content: int = 0) -> Sent:
    return Sent(0, "gateway", "/", (), router, content)


@given(st.none() | st.lists(NAMES, min_size=1, max_size=3).map(",".join))
def test_the_router_reads_tiers_alike(header: str | None) -> None:
    assert SITE.rank_of(header) == privacy.tier_of(header, SITE.tiers)


def test_a_cluster_is_cleared_for_what_all_its_models_are() -> None:
    assert [SITE.cleared(rank) for rank in range(3)] == [{"openai", "local"}, {"local"}, set()]


def test_all_marks_of_a_request_count() -> None:
    headers = (("x-privacy-tier", "public"), ("X-Privacy-Tier", "internal"))
    assert SITE.marked(Sent(0, "gateway", "/", headers, Router.DEAD)) == 1
    assert SITE.marked(sent(Router.DEAD)) == 0


def test_a_router_keeps_the_tier() -> None:
    assert SITE.answer(sent(Router.PASSES), "public") == Verdict(Router.PASSES)
    assert SITE.answer(sent(Router.PASSES), "restricted") == Verdict(Router.DECIDES, "local")
    assert SITE.answer(sent(Router.DECIDES), None) == Verdict(Router.DECIDES, "openai")
    assert SITE.answer(sent(Router.DECIDES, content=2), None) == Verdict(Router.DECIDES, "local")
    walking = Sent(0, "gateway", "/", (), Router.DECIDES, choice=1, walk="fallback")
    assert SITE.answer(walking, None) == Verdict(Router.DECIDES, "local", "fallback", ("local", "local", "openai"))
    assert SITE.answer(replace(walking, walk="cascade"), None).chain == ("local", "local", "local")
    assert SITE.answer(walking, "restricted") == Verdict(Router.DECIDES, "local")
    lowly = Site(SITE.tiers, (Model("wide", "openai", 0),))
    assert lowly.answer(sent(Router.DECIDES), "internal") == Verdict(Router.ANSWERS)


@pytest.mark.parametrize("place", range(20))
def test_the_yaml_says_the_same(place: int) -> None:
    site = envoy_site.draw(Random(place))
    config, policy = site.compile()
    assert config.privacy_tiers == site.tiers
    assert [(one.name, one.cluster, one.clearance) for one in config.candidates] == [
        (model.name, model.cluster, model.rank) for model in site.models
    ]
    assert config.routing.default == site.default.name
    assert len(policy.safeguards) == len(site.restricts) + bool(site.closes)


@pytest.mark.parametrize("place", range(20))
def test_whatever_a_router_walks_its_policy_may_emit(place: int) -> None:
    site, rng = envoy_site.draw(Random(place)), Random(place)
    _, policy = site.compile()
    for rank, tier in enumerate(site.tiers):
        emitted = {(attempt, model.cluster) for _, attempt, model in privacy.emissions(policy, rank)}
        for choice in range(8):
            request = Sent(0, "h", "/", (), Router.DECIDES, choice=choice, walk=rng.choice(("fallback", "cascade")))
            verdict = site.answer(request, tier)
            assert set(enumerate(verdict.chain, 1)) <= emitted
            assert verdict.chain[:1] in {(), (verdict.cluster,)}


def test_clusters_with_models_of_several_tiers() -> None:
    assert SITE.mixed
    assert not Site(SITE.tiers, (Model("a", "x", 0), Model("b", "x", 0), Model("c", "y", 2))).mixed
