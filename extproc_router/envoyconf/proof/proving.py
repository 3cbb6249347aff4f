"""The proof: every door into Envoy, every kind of request, every server that it may come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.proof import asked, listeners, loggers
from extproc_router.envoyconf.proof import duty as duties
from extproc_router.envoyconf.proof.clusters import Clusters
from extproc_router.envoyconf.proof.door import World, examine
from extproc_router.envoyconf.proof.doubts import Doubt
from extproc_router.envoyconf.proof.ledger import Ledger
from extproc_router.envoyconf.proof.message import items, members
from extproc_router.signals import latency_class
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from extproc_router.config.loader import Config
    from extproc_router.envoyconf.place import Place
    from extproc_router.envoyconf.proof.listeners import Door
    from extproc_router.policy.engine import Policy


class Examined(Struct, frozen=True):
    """How much was looked at: privacy tiers, rules of the policy, Envoy's routes and clusters."""

    tiers: int = 0
    rules: int = 0
    routes: int = 0
    clusters: int = 0


class Proof(Struct, frozen=True):
    """What became of the attempt.

    Attributes:
        leaks: counter-examples: a way that a request may take to a server that is not cleared for it.
        unproved: what stands in the file and is not understood, so that nothing is known of it.
        examined: how much was looked at.
        needed: whether there was anything to prove: more tiers than one, or a safety rule in force.
        trusting: names of HTTP filters in the file that were not looked at, because somebody vouches for them.
    """

    leaks: tuple[Mistake, ...]
    unproved: tuple[Mistake, ...]
    examined: Examined = Examined()
    needed: bool = True
    trusting: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether no request can leave its tier."""
        return not (self.leaks or self.unproved)


def prove(config: Config, policy: Policy, bootstrap: Place, *, trusted: frozenset[str] = frozenset()) -> Proof:
    """Prove that no request leaves its privacy tier, or say by which way it may.

    Args:
        config: the router's, as loaded.
        policy: what it compiles to.
        bootstrap: Envoy's file, as `bootstrap.read` returns it.
        trusted: names of HTTP filters that the caller vouches for.
    """
    duty = duties.of(policy)
    if duty.empty:
        return Proof((), (), needed=False)
    said = members(bootstrap)
    world = World(duty, Clusters(said), _headers(config), Ledger(), trusted)
    doors, doubts = listeners.doors(said, listeners.askers(config, duty.tiers))
    world.ledger.doubt((*doubts, *loggers.doubts(said)))
    routes = 0
    for door in doors:
        if door.is_http:
            routes += examine(world, door.place, door.asker)
        else:
            _pass_through(world, door)
    asked.judge_verifiers(duty, world.clusters, world.ledger, (door.place for door in doors if door.is_http))
    examined = Examined(len(duty.tiers), len(policy.routes) + len(policy.safeguards), routes, len(world.clusters))
    managers = (members(door.place) for door in doors if door.is_http)
    named = {entry.text("name") for said in managers for entry in items(said.get("http_filters"))}
    return Proof(world.ledger.leaks, world.ledger.doubts, examined, trusting=tuple(sorted(named & trusted)))


def _pass_through(world: World, door: Door) -> None:
    """Judge a TCP proxy: what goes through it, nobody reads; it may be any request."""
    duty = world.duty
    names, doubts = listeners.tcp_clusters(door.place)
    world.ledger.doubt(doubts)
    rank = len(duty.tiers) - 1 if door.asker is None else door.asker
    is_sealed = bool(duty.seals) and door.asker is None
    for server in (server for name in names for server in world.clusters.servers(name)):
        world.ledger.doubt(server.doubts)
        is_model = server.name in duty.clearance
        if not server.name or (door.asker is not None and not is_model):
            continue
        if is_sealed and not rank and not is_model:
            why = f"cluster {server.name!r} is no model's, and requests that rules have to read may go there unread"
            world.ledger.doubt([Doubt(door.place, f"listeners.{door.listener}", why)])
        elif is_sealed or not duty.cleared(server.name, rank):
            first = duty.tiers[rank] if rank else f"unread by rule {duty.seals}"
            story = [first, f"listener {door.listener}", "tcp_proxy", *server.via, f"cluster {server.name}"]
            world.ledger.leak(door.place, f"listeners.{door.listener}", " -> ".join(story))


def _headers(config: Config) -> frozenset[str]:
    """Return the headers that signals read."""
    named = (getattr(signal, "header", None) for signal in config.written.signals)
    return frozenset({*(name for name in named if isinstance(name, str)), latency_class.HEADER})
