"""Random requests, and routers that fail, of the kinds that tell routes apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.envoy_oracle import API_PATHS
from extproc_router.lab.hunt.envoy_request import Router, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from extproc_router.lab.hunt.envoy_site import Site

_ROUTERS = (*Router, Router.DECIDES, Router.DECIDES, Router.DECIDES, Router.CLOSES, Router.DEAD)
WALKS = ("fallback", "cascade")
_HOSTS = ("gateway", "llm.example", "llm.example:8080", "A.LLM.example", "x.llm.example", "other.example", "a.b")
_OTHER_PATHS = ("/", "/v1/files", "/dashboards/1", "/v1/chat/completions/x", "/V1/CHAT/COMPLETIONS")
_ODD = ("%63", "x/../", "./")  # what normalising takes out again


def draw(rng: Random, site: Site, listeners: int, hints: Sequence[str] = ()) -> Sent:
    """Draw a request.

    Args:
        rng: draws.
        site: whose tiers and clusters it names.
        listeners: how many the file has.
        hints: values that the file's routes compare `x-privacy-tier` with.
    """
    values = (*site.tiers, *site.tiers, *hints)
    return Sent(
        listener=rng.randrange(listeners),
        host=rng.choice(_HOSTS),
        path=_path(rng),
        headers=tuple(_headers(rng, site, values)),
        router=rng.choice(_ROUTERS),
        content=rng.choice((0, *site.restricts)),
        choice=rng.randrange(8),
        walk=rng.choice(("", *WALKS)),
    )


def _path(rng: Random) -> str:
    path = rng.choice(_OTHER_PATHS) if happens(rng, 0.2) else rng.choice(API_PATHS)
    match rng.randrange(8):
        case 0:
            odd = rng.choice(_ODD)
            path = path.replace("/c", "/%63", 1) if odd == "%63" else path.replace("/v1/", f"/v1/{odd}", 1)
        case 1:
            path += rng.choice(("?", "?x=1", "?x=2&x=1", "?beta=true&x", "?X=1"))
    return path


def _headers(rng: Random, site: Site, values: Sequence[str]) -> list[tuple[str, str]]:
    headers = [(_cased(rng, "x-privacy-tier"), _tier(rng, values)) for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3)))]
    clusters = (*site.clusters, "audit", "nowhere", "", site.tiers[0], *WALKS)
    for name in ("x-selected-cluster", "x-llm-decision", "x-route", "x-llm-chain"):
        headers += [(_cased(rng, name), rng.choice(clusters)) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    rng.shuffle(headers)
    return headers


def _tier(rng: Random, values: Sequence[str]) -> str:
    tier, other = rng.choice(values), rng.choice(values)
    odd = (
        tier.upper(),
        tier.swapcase(),
        f"{other},{tier}",
        f"{other} ,\t{tier}",
        tier + rng.choice("x,.-1"),
        tier[:-1],
        rng.choice(("", "1", "restricted", "public", f"not {tier}", f"{tier}\xa0", ",")),
    )
    return rng.choice((*odd, *(tier,) * 5))


def _cased(rng: Random, name: str) -> str:
    return rng.choice((name, name, name.title(), name.upper()))
