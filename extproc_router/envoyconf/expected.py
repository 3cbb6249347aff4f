"""What a router config expects of Envoy."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    """

    limits: Limits
    clusters: tuple[str, ...]
    default_cluster: str
    tiers: tuple[str, ...]


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
    )
