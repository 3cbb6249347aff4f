"""A router's config as the hunt for broken Envoy files knows it: a few facts, their YAML, and what a router answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from msgspec import Struct

from extproc_router.config import compiling, loader
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.envoy_request import Router, Verdict
from extproc_router.signals.base import Resources

if TYPE_CHECKING:
    from random import Random

    from extproc_router.config.loader import Config
    from extproc_router.lab.hunt.envoy_request import Sent
    from extproc_router.policy.engine import Policy

_TIERS = (("public", "restricted"), ("open", "internal", "secret"), ("P0", "P1", "P2", "P3"), ("Low", "hi-gh"))
_CLUSTERS = ("local", "vault", "openai", "azure", "shared")
_ATTEMPTS = 3  # as `fallback.attempts` has it
_CLOSING = ("block", "refuse", "redact")


class Model(Struct, frozen=True):
    """A model: its name, its cluster, and the rank of the highest tier that it may see."""

    name: str
    cluster: str
    rank: int


class Site(Struct, frozen=True):
    """What of a config decides where requests may go.

    Attributes:
        tiers: lowest first.
        models: the first is the default.
        restricts: ranks that rules give by content.
        closes: what else rules do by content: `block`, `refuse`, `redact`; empty where they do not.
    """

    tiers: tuple[str, ...]
    models: tuple[Model, ...]
    restricts: tuple[int, ...] = ()
    closes: str = ""

    @property
    def default(self) -> Model:
        """The model that decides where nothing else does."""
        return self.models[0]

    @property
    def clusters(self) -> tuple[str, ...]:
        """Those of the models, each once."""
        return tuple(dict.fromkeys(model.cluster for model in self.models))

    def cleared(self, rank: int) -> frozenset[str]:
        """Return the clusters of which every model may see a rank."""
        return frozenset(self.clusters) - {model.cluster for model in self.models if model.rank < rank}

    @property
    def mixed(self) -> bool:
        """Whether a model that may see more than the lowest tier is on a cluster with one that may see less."""
        return any(model.cluster not in self.cleared(model.rank) for model in self.models)

    def rank_of(self, header: str | None) -> int:
        """Return the rank that `x-privacy-tier`, repeated ones joined, asks for: unknown, the highest."""
        if header is None:
            return 0
        known = [tier.casefold() for tier in self.tiers]
        asked = [name.strip().casefold() for name in header.split(",")]
        return max(known.index(name) if name in known else len(known) - 1 for name in asked)

    def marked(self, sent: Sent) -> int:
        """Return the rank that a request's own headers ask for."""
        values = [value for name, value in sent.headers if name.lower() == "x-privacy-tier"]
        return self.rank_of(", ".join(values) if values else None)

    def answer(self, sent: Sent, header: str | None) -> Verdict:
        """Return what a router without faults says of a request, given the `x-privacy-tier` that reaches it."""
        rank = max(sent.content, self.rank_of(header))
        cleared = [model.cluster for model in self.models if model.rank >= rank]
        if sent.router is Router.PASSES and not rank:
            return Verdict(Router.PASSES)
        if sent.router is Router.ANSWERS or not cleared:
            return Verdict(Router.ANSWERS)
        first = sent.choice % len(cleared)
        order = cleared[first:] + cleared[:first]
        if not sent.walk or len(order) == 1:
            return Verdict(Router.DECIDES, order[0])
        chain = (*order[:2], order[0]) if sent.walk == "cascade" else order[:_ATTEMPTS]
        return Verdict(Router.DECIDES, order[0], sent.walk, tuple(chain))

    def text(self) -> str:
        """Return the config as YAML."""
        safety = [
            {"name": f"restrict-{rank}", "when": {"sensitive": True}, "then": "restrict", "tier": self.tiers[rank]}
            for rank in self.restricts
        ]
        if self.closes:
            safety.append({"name": "closing", "when": {"sensitive": True}, "then": self.closes})
        names = [model.name for model in self.models]
        written = {
            "privacy_tiers": list(self.tiers),
            "models": [
                {"name": model.name, "cluster": model.cluster, "privacy": self.tiers[model.rank]}
                for model in self.models
            ],
            "signals": [{"name": "sensitive", "kind": "keyword", "keywords": ["falcon"]}] if safety else [],
            "safety": safety,
            # Whichever models a request may reach, some chain may hold, in any order.
            "rules": [{"name": "all", "when": {"stream": True}, "use": names, "cascade": {}}] if len(names) > 1 else [],
            "routing": {"default": self.default.name},
        }
        return yaml.dump(written, Dumper=yaml.CSafeDumper, sort_keys=False)

    def compile(self) -> tuple[Config, Policy]:
        """Return what the router itself makes of the YAML."""
        config = loader.load(self.text(), "router.yaml")
        offered = Resources(heads=frozenset({"pii"}), domains=(), confidence_floor=0.0, embed=lambda _: ())
        return config, compiling.compile_config(config, offered).policy


def draw(rng: Random) -> Site:
    """Draw a site; at least one model may see everything, most often."""
    tiers = rng.choice(_TIERS)[: rng.choice((1, 2, 2, 2, 3, 4))]
    highest = len(tiers) - 1
    clusters = rng.sample(_CLUSTERS, rng.randint(2, 4))
    models = [
        Model(f"{cluster}-{place}", cluster, rng.choice((0, highest, rng.randint(0, highest))))
        for cluster in clusters
        for place in range(rng.choice((1, 1, 2)))
    ]
    if happens(rng, 0.8):
        models[0] = Model("trusted", models[0].cluster, highest)
    rng.shuffle(models)
    restricts = tuple(rank for rank in range(1, highest + 1) if happens(rng, 0.4))
    return Site(tiers, tuple(models), restricts, rng.choice(("", "", "", *_CLOSING)))
