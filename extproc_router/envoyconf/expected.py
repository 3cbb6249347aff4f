"""What a router config expects of Envoy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from extproc_router.config.schema import Limits

if TYPE_CHECKING:
    from extproc_router.config.loader import Config


class Served(Struct, frozen=True):
    """What stands behind one cluster.

    Attributes:
        cluster: its name.
        default: what its servers call the model that a request gets which nobody has read.
        names: all that they know.
        host: the name that they are asked by; empty where it is the client's own word.
        max_retries: attempts at once that may move on from here.
    """

    cluster: str
    default: str
    names: tuple[str, ...]
    host: str
    max_retries: int


class Expected(Struct, frozen=True):
    """The part of a config that an envoy.yaml must fit.

    Attributes:
        limits: the router's bounds.
        clusters: those of the models, each once, in file order.
        default_cluster: that of `routing.default`; empty where the config could not be read: it is not compared then.
        tiers: lowest first; empty likewise.
        guards: whether a safety rule has to see every request that goes on.
        matcher_ms: the longest that a language model is waited for, beside the encoder; 0 where none is asked.
        chains: whether a request may be served by several models, one after the other.
        cascades: whether answers are judged; a rule in shadow counts, since a reload may put it into force.
        on_context_length: whether a 400 may mean the next model.
        silent_seconds: the longest that all models of a chain may be silent for, one after the other.
        served: what stands behind each cluster, in file order; empty where the config could not be read.
    """

    limits: Limits
    clusters: tuple[str, ...]
    default_cluster: str
    tiers: tuple[str, ...]
    guards: bool = False
    matcher_ms: int = 0
    chains: bool = False
    cascades: bool = False
    on_context_length: bool = False
    silent_seconds: float = 0.0
    served: tuple[Served, ...] = ()

    @property
    def deadline_ms(self) -> int:
        """How long the router may take for what it asks, before it decides without."""
        # What the encoder says comes first: how private a request is decides whether anybody else may be asked.
        return self.limits.encoder_deadline_ms + self.matcher_ms


def of(config: Config | None) -> Expected:
    """Read it from a config; from the defaults where the config could not be read."""
    if config is None:
        return Expected(Limits(), ("a-cluster",), "", ())
    served_by = {candidate.name: candidate.cluster for candidate in config.candidates}
    return Expected(
        limits=config.limits,
        clusters=tuple(dict.fromkeys(served_by.values())),
        default_cluster=served_by[config.routing.default],
        tiers=config.privacy_tiers,
        guards=guards(config),
        matcher_ms=max((signal.matcher.deadline_ms for signal in _asking(config)), default=0),
        chains=chains(config),
        cascades=cascades(config),
        on_context_length=chains(config) and config.written.fallback.on_context_length,
        silent_seconds=_silent_seconds(config),
        served=tuple(_served(cluster, config) for cluster in dict.fromkeys(served_by.values())),
    )


def guards(config: Config) -> bool:
    """Whether a config has a safety rule that nothing may pass by."""
    return any(not rule.shadow and rule.then != "flag" for rule in config.written.safety)


def chains(config: Config) -> bool:
    """Whether a decision may name several models: the default stands behind every rule's."""
    return config.written.fallback.attempts > 1 and len(config.candidates) > 1


def cascades(config: Config) -> bool:
    """Whether a config has a cascade."""
    return chains(config) and any(rule.cascade is not None for rule in config.written.rules)


def _silent_seconds(config: Config) -> float:
    fallback = config.written.fallback
    # A cascade's first model may be asked again.
    attempts = min(fallback.attempts, len(config.candidates)) + cascades(config)
    return attempts * max(fallback.stream_seconds, fallback.answer_seconds)


def _served(cluster: str, config: Config) -> Served:
    models = [candidate for candidate in config.candidates if candidate.cluster == cluster]
    default = next((model for model in models if model.name == config.routing.default), models[0])
    endpoint = config.written.endpoints.of(cluster)
    return Served(
        cluster=cluster,
        default=default.served_name,
        names=tuple(dict.fromkeys(model.served_name for model in models)),
        host=endpoint.host or "",
        max_retries=endpoint.max_retries,
    )


def _asking(config: Config) -> list[Any]:
    return [signal for signal in config.written.signals if getattr(signal, "matcher", None) is not None]
