"""What of a router's config an envoy.yaml is written from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.config.endpoint_schema import ClusterEndpoint, Endpoints
from extproc_router.config.meaning import did_you_mean
from extproc_router.envoyconf import expected
from extproc_router.envoyconf.expected import Expected, Served
from extproc_router.envoyconf.render import addresses
from extproc_router.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.config.loader import Config
    from extproc_router.types import Mistake

ROUTER, VERIFIER, NOWHERE = "extproc_router", "extproc_router_verifier", "nowhere"
"""Clusters that no model may have: the sidecar's two servers, and the one without a server."""

_KIB, _MIB = 1024, 1024 * 1024
# Half of what the router can be sent beyond its cap (`server.app.ENVELOPE_BYTES`).
_BEYOND = 512 * _KIB
_BODIES, _LEAST_HEAP, _STEP = 64, 1024 * _MIB, 64 * _MIB
# From the router's own deadlines to Envoy's: it sheds, and decides, in between.
_SLACK_MS = 350
# The OpenAI client's own default; and what chains get beyond what their models may be silent for.
_IDLE_SECONDS, _BACK_OFF_SECONDS = 600.0, 30.0


class Cluster(Struct, frozen=True):
    """One cluster of models.

    Attributes:
        served: what stands behind it.
        addresses: of its servers; at least one, and all of one kind.
        endpoint: the rest, as written.
    """

    served: Served
    addresses: tuple[str, ...]
    endpoint: ClusterEndpoint


class Plan(Struct, frozen=True):
    """What is written.

    Attributes:
        endpoints: addresses, as written.
        expected: what the config expects of any envoy.yaml.
        clusters: those of the models, in file order.
        router: addresses of the router's workers.
        chains: whether Envoy walks chains; else it knows the first model of each alone.
        cascades: whether answers are judged.
        on_context_length: whether a 400 may mean the next model.
    """

    endpoints: Endpoints
    expected: Expected
    clusters: tuple[Cluster, ...]
    router: tuple[str, ...]
    chains: bool
    cascades: bool
    on_context_length: bool

    @property
    def message_seconds(self) -> float:
        """How long Envoy waits for the router: its deadlines, and time to decide without what is late."""
        return (self.expected.deadline_ms + _SLACK_MS) / 1000

    @property
    def idle_seconds(self) -> float:
        """How long a chain's request may be silent: Envoy counts from the first attempt, not from the last."""
        return max(_IDLE_SECONDS, self.expected.silent_seconds + _BACK_OFF_SECONDS)

    @property
    def held_bytes(self) -> int:
        """What Envoy holds of one request."""
        return self.expected.limits.max_body_bytes + _BEYOND

    @property
    def heap_bytes(self) -> int:
        """Heap at which Envoy refuses work: 64 of the largest bodies, in steps of 64 MiB; 1 GiB at least."""
        return max(_LEAST_HEAP, -(-_BODIES * self.held_bytes // _STEP) * _STEP)


def of(config: Config, *, plain: bool) -> Plan:
    """Plan.

    Args:
        config: checked by itself already.
        plain: whether only the first model of each chain is known to Envoy.

    Raises:
        ConfigError: the addresses do not fit the models, or what is asked for is not possible.
    """
    endpoints, wanted = config.written.endpoints, expected.of(config)
    mistakes = tuple(_mistakes(config, wanted, plain=plain))
    if mistakes:
        raise ConfigError(mistakes)
    return Plan(
        endpoints=endpoints,
        expected=wanted,
        clusters=tuple(_cluster(served, endpoints) for served in wanted.served),
        router=addresses.of_workers(endpoints.router, endpoints.workers),
        chains=not plain,
        cascades=wanted.cascades and not plain,
        on_context_length=wanted.on_context_length and not plain,
    )


def _cluster(served: Served, endpoints: Endpoints) -> Cluster:
    endpoint = endpoints.of(served.cluster)
    return Cluster(served, addresses.of_cluster(served.cluster, endpoint), endpoint)


def _mistakes(config: Config, wanted: Expected, *, plain: bool) -> Iterator[Mistake]:
    at = config.document.mistake
    yield from _names(config, wanted)
    for name, endpoint in config.written.endpoints.clusters.items():
        path = ("endpoints", "clusters", name)
        if name not in wanted.clusters:
            yield at(path, f"no model has this cluster{did_you_mean(name, wanted.clusters)}")
            continue
        servers = addresses.of_cluster(name, endpoint)
        if not addresses.are_of_a_kind(servers):
            yield at(path, "names beside unix sockets: Envoy wants two clusters for them")
        elif endpoint.tls and not endpoint.host and any(addresses.is_static([server]) for server in servers):
            told = "an IP address or a socket has no name that its certificate could be checked for: give `host`"
            yield at((*path, "tls"), told)
        elif plain and endpoint.host:
            told = "Envoy cannot say another Host for each cluster where it walks no chains (--plain)"
            yield at((*path, "host"), told)
    yield from _own(config)


def _names(config: Config, wanted: Expected) -> Iterator[Mistake]:
    """Find the names of clusters that cannot be, or that say nothing of where the servers are."""
    at, endpoints = config.document.mistake, config.written.endpoints
    served_by = {candidate.cluster: candidate.name for candidate in reversed(config.candidates)}
    places = {model.name: place for place, model in config.entries("models")}
    for name in wanted.clusters:
        if name in {ROUTER, VERIFIER, NOWHERE}:
            yield at(("models", places[served_by[name]], "cluster"), f"{name!r} is a cluster of envoy.yaml's own")
        elif endpoints.of(name).addresses is None and not addresses.is_host(name):
            yield at(("models", places[served_by[name]], "cluster"), f"give its servers: endpoints.clusters[{name!r}]")


def _own(config: Config) -> Iterator[Mistake]:
    """Find what Envoy and the router could not listen at."""
    at, endpoints = config.document.mistake, config.written.endpoints
    if endpoints.workers > 1 and not addresses.can_be_shared(endpoints.router):
        yield at(("endpoints", "router"), "workers cannot share an address: write e.g. unix:/run/extproc-{worker}.sock")
    if addresses.collide(endpoints.listen, endpoints.admin):
        yield at(("endpoints", "admin"), "clients are to find Envoy there (`listen`): two servers cannot share a port")
    if endpoints.verifier in addresses.of_workers(endpoints.router, endpoints.workers):
        yield at(("endpoints", "verifier"), "the router is there: the verifier is another server, and needs its own")
