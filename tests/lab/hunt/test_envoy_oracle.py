from __future__ import annotations

import pytest
from msgspec.structs import replace

from extproc_router.lab.hunt.envoy_oracle import leaked
from extproc_router.lab.hunt.envoy_request import Outcome, Router, Sent, Verdict
from extproc_router.lab.hunt.envoy_site import Model, Site

SITE = Site(
    ("public", "internal", "restricted"),
    (Model("wide", "openai", 0), Model("trusted", "local", 2), Model("middle", "vault", 1), Model("t", "mixed", 2),
     Model("u", "mixed", 0)),
)  # fmt: skip
RESTRICTING = replace(SITE, restricts=(1, 2))
BLOCKING = replace(SITE, closes="block")
ALL = frozenset({"openai", "local", "vault", "mixed", "audit"})
CHAT, OTHER = "/v1/chat/completions", "/dashboards/"


def wrong(site: Site, *tiers: str, path: str = CHAT, verdict: Verdict | None = None, content: int = 0) -> set[str]:
    headers = tuple(("X-Privacy-Tier", tier) for tier in tiers)
    return set(leaked(site, Sent(0, "gateway", path, headers, Router.DEAD, content), Outcome(ALL, verdict)))


@pytest.mark.parametrize(
    ("site", "tiers", "path", "expected"),
    [
        (SITE, (), CHAT, set()),
        (SITE, ("PUBLIC",), CHAT, set()),
        (SITE, ("public", "Internal"), CHAT, {"openai", "mixed", "audit"}),
        (SITE, ("misspelt",), CHAT, {"openai", "mixed", "audit", "vault"}),
        (SITE, ("restricted",), OTHER, {"openai", "mixed", "audit", "vault"}),
        (RESTRICTING, (), CHAT, {"openai", "mixed", "audit", "vault"}),
        (RESTRICTING, (), OTHER, {"openai", "mixed", "vault"}),
        (RESTRICTING, (), "/v1/%63hat/completions", {"openai", "mixed", "audit", "vault"}),
        (BLOCKING, (), CHAT, set(ALL)),
        (BLOCKING, ("restricted",), CHAT, set(ALL)),
    ],
)
def test_nobody_decided(site: Site, tiers: tuple[str, ...], path: str, expected: set[str]) -> None:
    assert wrong(site, *tiers, path=path) == expected


def test_a_decided_request_may_reach_its_cluster_and_what_is_cleared() -> None:
    assert wrong(SITE, "restricted", verdict=Verdict(Router.DECIDES, "mixed")) == {"openai", "vault", "audit"}
    # Which model a later attempt asks is for others to say.
    chain = Verdict(Router.DECIDES, "local", "fallback", ("local", "mixed"))
    assert wrong(SITE, "restricted", verdict=chain) == {"openai", "vault", "audit", "mixed"}
    assert wrong(SITE, "restricted", verdict=Verdict(Router.DECIDES, "openai")) == ALL - {"local"}
    assert wrong(SITE, verdict=Verdict(Router.DECIDES, "openai")) == set()
    assert wrong(BLOCKING, verdict=Verdict(Router.PASSES)) == set()


def test_content_counts_as_a_mark_does() -> None:
    assert wrong(RESTRICTING, content=1, verdict=Verdict(Router.DECIDES, "vault")) == {"openai", "mixed", "audit"}
