"""What a router config expects of Envoy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from extproc_router.config.schema import Limits

if TYPE_CHECKING:
    from extproc_router.config.loader import Config


class Expected(Struct, frozen=True):
    """The part of a config that an envoy.yaml must fit.

    Attributes:
        limits: the router's bounds.
        clusters: those of the models, each once, in file order.
        default_cluster: that of `routing.default`; empty where the config could not be read: it is not compared then.
        tiers: lowest first; empty likewise.
        guards: whether a safety rule has to see every request that goes on.
        matcher_ms: the longest that a language model is waited for, beside the encoder; 0 where none is asked.
    """

    limits: Limits
    clusters: tuple[str, ...]
    default_cluster: str
    tiers: tuple[str, ...]
    guards: bool = False
    matcher_ms: int = 0


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
    )


def guards(config: Config) -> bool:
    """Whether a config has a safety rule that nothing may pass by."""
    return any(not rule.shadow and rule.then != "flag" for rule in config.written.safety)


def _asking(config: Config) -> list[Any]:
    return [signal for signal in config.written.signals if getattr(signal, "matcher", None) is not None]
