"""Random Envoy files that keep every tier, as envoy/envoy.yaml does it and in other ways that are as safe."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from extproc_router.lab import envoy_file
from extproc_router.lab.hunt import envoy_parts as parts
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.envoy_parts import NOWHERE, Part

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

    from extproc_router.lab.hunt.envoy_site import Site

OUTSIDE = ("audit", "dashboards")
"""Clusters of no model."""
VERIFIER = "extproc_router_verifier"
"""The cluster of the router's other server, which judges answers."""
SIDECAR = (parts.ROUTER, VERIFIER)
_OPTIONS = "typed_extension_protocol_options"
_SHIPPED = 0.05  # of the files: that one is long
_SELECTED = {"name": "x-selected-cluster", "present_match": True}
_DECIDED = {"name": "x-llm-decision", "present_match": True}
_JOIN = {
    "append": {
        "header": {"key": "x-privacy-tier", "value": "%CEL(request.headers['x-privacy-tier'])%"},
        "append_action": "OVERWRITE_IF_EXISTS",
    }
}


def draw(rng: Random, site: Site) -> Part:
    """Draw a file that no request leaves its tier by."""
    return shipped(site) if happens(rng, _SHIPPED) else _Drawing(rng, site).file()


def camel(rng: Random, value: Any) -> Any:  # noqa: ANN401 - plain data
    """Return the same file, some names of members in lowerCamelCase."""
    if isinstance(value, dict):
        return {_spelled(rng, key): camel(rng, item) for key, item in value.items()}
    return [camel(rng, item) for item in value] if isinstance(value, list) else value


def _spelled(rng: Random, key: str) -> str:
    if not key.replace("_", "").isalpha() or happens(rng, 0.5):
        return key
    first, *rest = key.split("_")
    return first + "".join(word.title() for word in rest)


def shipped(site: Site) -> Part:
    """Return what `extproc-router envoy render` writes for a site; a later attempt knows clusters, and no models."""
    file: Part = msgspec.json.decode(_rendered(site, plain=site.mixed))
    return file


def chained(site: Site) -> Part:
    """Return the same, and with chains whatever the site."""
    file: Part = msgspec.json.decode(_rendered(site, plain=False))
    return file


@lru_cache(maxsize=16)
def _rendered(site: Site, *, plain: bool) -> bytes:
    file = envoy_file.rendered(site.compile()[0], plain=plain)
    file["static_resources"]["clusters"] += [parts.server(name) for name in OUTSIDE]
    return msgspec.json.encode(file)


def _options(site: Site) -> dict[str, Part]:
    """Return the members of a site's clusters that have their filters, by name."""
    return {
        cluster["name"]: {_OPTIONS: cluster[_OPTIONS]}
        for cluster in chained(site)["static_resources"]["clusters"]
        if cluster["name"] in site.clusters
    }


class _Drawing:
    def __init__(self, rng: Random, site: Site) -> None:
        self._rng, self._site = rng, site
        self._chains: list[Part] = []
        # Which of a cluster's models a later attempt asks, Envoy does not know.
        self._walked = not site.mixed and happens(rng, 0.6)
        self._judged = self._walked and happens(rng, 0.5)
        self._options = _options(site) if self._judged else {}
        self._top = site.cleared(len(site.tiers) - 1)

    def file(self) -> Part:
        listeners = [parts.listener(f"l{place}", self._manager()) for place in range(self._rng.choice((1, 1, 1, 2)))]
        servers = [self._server(name) for name in self._site.clusters] + [parts.server(name) for name in OUTSIDE]
        if self._judged:
            servers.append(parts.server(VERIFIER))
        return parts.bootstrap(listeners, [*servers, *self._chains])

    def _chance(self, share: float) -> bool:
        return happens(self._rng, share)

    def _manager(self) -> Part:
        domains = [["*"], ["llm.example", "llm.example:*"], ["*.llm.example"]][: self._rng.choice((1, 1, 1, 2, 3))]
        hosts = [self._host(f"h{place}", names) for place, names in enumerate(domains)]
        self._rng.shuffle(hosts)
        filters = [parts.ext_proc(failure_mode_allow=self._chance(0.5))]
        return parts.manager(self._early(), hosts, filters, normalize_path=self._chance(0.5))

    def _server(self, name: str) -> Part:
        """Return a cluster of the site's, perhaps with the filters that `render` puts in front of it."""
        return parts.server(name) | self._options.get(name, {})

    def _early(self) -> list[Part]:
        selected = self._rng.choice(
            (
                {"remove": "x-selected-cluster"},
                {"remove": "X-Selected-Cluster"},
                {"remove_on_match": {"key_matcher": {"exact": "x-selected-cluster"}}},
                {"remove_on_match": {"key_matcher": {"prefix": "x-selected-"}}},
                {"remove_on_match": {"key_matcher": {"exact": "X-Selected-Cluster", "ignore_case": True}}},
            )
        )
        decision = self._rng.choice(
            (
                {"remove": "x-llm-decision"},
                {"remove_on_match": {"key_matcher": {"prefix": "x-llm-"}}},
                {"remove_on_match": {"key_matcher": {"prefix": "X-LLM-", "ignore_case": True}}},
                {"remove_on_match": {"key_matcher": {"contains": "llm"}}},
            )
        )
        envoys = {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}}
        mutations: list[Part] = [selected, decision, envoys]
        if len(self._site.tiers) > 1 or self._chance(0.5):
            mutations.append(_JOIN)
        self._rng.shuffle(mutations)
        return mutations

    def _host(self, name: str, domains: list[str]) -> Part:
        host: Part = {"name": name, "domains": domains, "routes": self._routes()}
        if self._chance(0.5):
            host["request_headers_to_remove"] = ["x-selected-cluster"]
        if self._chance(0.5):
            host["retry_policy"] = {"retry_on": "connect-failure,5xx", "num_retries": 2}
        if self._top and not self._site.closes and self._chance(0.1):
            host["request_mirror_policies"] = [{"cluster": self._one(self._top)}]
        return host

    def _routes(self) -> list[Part]:
        decided, private, passed = [*self._chained(), *self._decided()], self._private(), self._passed()
        undecided = [*private, *passed] if self._chance(0.7) else [*passed, *private]
        shuffled = [*undecided, *decided] if private and not passed and self._chance(0.1) else [*decided, *undecided]
        return [*shuffled, *self._silent()]

    def _decided(self) -> list[Part]:
        route: Part = {"cluster_header": self._rng.choice(("x-selected-cluster", "X-Selected-Cluster"))}
        if self._chance(0.5):
            route |= {"timeout": "0s", "idle_timeout": "600s"}
        if self._top and self._chance(0.2):
            route["request_mirror_policies"] = [{"cluster": self._one(self._top)}]
        found = [{"name": "decided", "match": {"prefix": "/", "headers": [_SELECTED]}, "route": route}]
        if self._chance(0.2):
            chat = {"path": "/v1/chat/completions", "headers": [_SELECTED]}
            found.insert(0, {"name": "decided-chat", "match": chat, "route": {"cluster_header": "x-selected-cluster"}})
        if self._chance(0.2):
            for cluster in self._site.clusters[:2]:
                only: Part = {"name": "x-selected-cluster", "string_match": {"exact": cluster}}
                match: Part = {"prefix": "/", "headers": [only]}
                found.insert(0, {"name": f"decided-{cluster}", "match": match, "route": {"cluster": cluster}})
        return found

    def _chained(self) -> list[Part]:
        """Return the routes that walk chains; who comes there without one goes nowhere, or to what may see all."""
        if not self._walked:
            return []
        found = []
        for name in ("cascade", "fallback"):
            clusters = [NOWHERE]
            if self._top and not self._site.closes and self._chance(0.3):
                clusters = self._rng.sample(sorted(self._top), 1)
            matcher = self._rng.choice(({"string_match": {"exact": name}}, {"string_match": {"prefix": name[:4]}}))
            match = {"prefix": "/", "headers": [{"name": "x-llm-chain", **matcher}]}
            retry = {"retry_on": "5xx,reset", "num_retries": 2, "refresh_cluster_on_retry": True}
            route: Part = {**parts.groups(clusters, override_metadata_namespace=parts.CHAIN), "retry_policy": retry}
            found.append({"name": name, "match": match, "route": route})
        return found[: self._rng.choice((1, 2, 2))]

    def _private(self) -> list[Part]:
        tiers = self._site.tiers
        if len(tiers) == 1:
            return []
        lowest = {"name": "x-privacy-tier", "string_match": {"exact": tiers[0]}, "invert_match": True}
        if self._chance(0.1):
            lowest = {"name": "x-privacy-tier", "exact_match": tiers[0], "invert_match": True}
        present = {"name": "x-privacy-tier", "present_match": True}
        headers = self._rng.choice(([present, lowest], [lowest, present], [lowest]))
        found = [{"name": "private_undecided", "match": {"prefix": "/", "headers": headers}, **self._to(self._top)}]
        if self._chance(0.2):
            tier = {"name": "x-privacy-tier", "string_match": {"exact": tiers[1]}}
            rank = max(1, *self._site.restricts, 1)
            one = self._to(self._site.cleared(rank))
            found.insert(0, {"name": "private_of_a_tier", "match": {"prefix": "/", "headers": [tier]}, **one})
        return found

    def _passed(self) -> list[Part]:
        if self._chance(0.2):
            return []
        route = {"cluster": self._site.default.cluster}
        return [{"name": "passed", "match": {"prefix": "/", "headers": [_DECIDED]}, "route": route}]

    def _silent(self) -> list[Part]:
        """Return where a request goes that nobody decided and that is not marked."""
        site, found = self._site, []
        if self._chance(0.2):
            found.append(
                {"name": "dashboards", "match": {"prefix": "/dashboards/"}, "route": {"cluster": "dashboards"}}
            )
        if site.restricts or site.closes:
            target = self._to(site.cleared(max(site.restricts, default=0)))
        else:
            target = {"route": self._target(site.clusters)}
        if self._chance(0.2):
            found.append({"name": "undecided-chat", "match": {"path": "/v1/chat/completions"}, **target})
        if not self._chance(0.1):
            found.append({"name": "undecided", "match": {"prefix": "/"}, **target})
        return found

    def _to(self, clusters: Collection[str]) -> Part:
        """Return an action: closed, or where the config allows it, to some of these clusters."""
        if self._site.closes or not clusters or self._chance(0.5):
            return self._rng.choice(({"route": {"cluster": NOWHERE}}, {"direct_response": {"status": 503}}))
        return {"route": self._target(clusters)}

    def _target(self, clusters: Collection[str]) -> Part:
        some = self._rng.sample(sorted(clusters), self._rng.randint(1, len(clusters)))
        match self._rng.randrange(8):
            case 0:
                return {"weighted_clusters": {"clusters": [{"name": name, "weight": 1} for name in some]}}
            case 1 | 2 as kind:
                name = f"pool-{len(self._chains)}"
                self._chains.append(parts.chain("aggregate" if kind == 1 else "composite", name, some))
                return {"cluster": name}
            case 3:
                return parts.groups(some)
            case 4:
                return {"cluster": some[0], "request_mirror_policies": [{"cluster": some[-1]}]}
            case _:
                return {"cluster": some[0], "retry_policy": {"retry_on": "5xx", "num_retries": 1}}

    def _one(self, clusters: Collection[str]) -> str:
        return self._rng.choice(sorted(clusters))
