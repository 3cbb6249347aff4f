"""What a request may reach, told by the site alone: the hunt's own reading of the theorem."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.hunt.envoy_paths import normalized
from extproc_router.lab.hunt.envoy_request import Router

if TYPE_CHECKING:
    from extproc_router.lab.hunt.envoy_request import Outcome, Sent
    from extproc_router.lab.hunt.envoy_site import Site

API_PATHS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/messages")


def leaked(site: Site, sent: Sent, outcome: Outcome) -> frozenset[str]:
    """Return the clusters that were reached and should not have been.

    A request that the router chose for may reach its cluster, and what is cleared for the request's tier. Of later
    attempts the latter alone is true: which of a cluster's models one asks is not for Envoy's routes to say. A request
    that nobody chose for may be any: it may reach what is cleared for its own mark and for the highest tier that a rule
    would have given it, and no server where a rule might have held it back. Where no path is one of the APIs', and
    nothing is marked, there is no prompt: a server of no model may have such bytes.
    """
    marked = site.marked(sent)
    if outcome.verdict is not None:
        rank = max(marked, sent.content)
        may = site.cleared(rank)
        if outcome.verdict.router is Router.DECIDES:
            may |= {model.cluster for model in site.models if model.rank >= rank} & {outcome.verdict.cluster}
        return outcome.clusters - may if rank else frozenset()
    rank = max(marked, *site.restricts, 0)
    if not rank and not site.closes:
        return frozenset()
    may = frozenset() if site.closes else site.cleared(rank)
    if not marked and normalized(sent.path).partition("?")[0] not in API_PATHS:
        return outcome.clusters & frozenset(site.clusters) - may
    return outcome.clusters - may
