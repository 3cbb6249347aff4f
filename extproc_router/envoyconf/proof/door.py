"""One connection manager: where each kind of request goes that comes in there."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.proof import asked, filters, hosts, kinds, known, mutations, targets
from extproc_router.envoyconf.proof.clusters import Clusters
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.duty import Duty
from extproc_router.envoyconf.proof.hosts import Reached
from extproc_router.envoyconf.proof.ledger import Ledger
from extproc_router.envoyconf.proof.message import kind, members
from extproc_router.envoyconf.proof.values import Value
from extproc_router.policy import privacy
from extproc_router.router import CLUSTER_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from extproc_router.envoyconf.place import Place
    from extproc_router.envoyconf.proof.clusters import Server
    from extproc_router.envoyconf.proof.duty import Source
    from extproc_router.envoyconf.proof.filters import Chain
    from extproc_router.envoyconf.proof.hosts import Host, Way
    from extproc_router.envoyconf.proof.kinds import Kind
    from extproc_router.envoyconf.proof.mutations import Early
    from extproc_router.envoyconf.proof.targets import Target

_UUID = "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"


class World(Struct, frozen=True):
    """What is the same for all doors.

    Attributes:
        duty: what is demanded.
        clusters: what their names stand for.
        headers: those that signals read.
        ledger: told of what is found.
        trusted: names of the HTTP filters that somebody vouches for.
    """

    duty: Duty
    clusters: Clusters
    headers: frozenset[str]
    ledger: Ledger
    trusted: frozenset[str] = frozenset()


def examine(world: World, place: Place, asker: int | None) -> int:
    """Examine a connection manager.

    Args:
        world: what is the same for all.
        place: its config.
        asker: rank up to which the router itself asks here; None where anybody does.

    Returns:
        How many routes it has.
    """
    said = members(place)
    early = mutations.early(said, world.duty.tiers)
    chain = filters.read(place, said, headers=world.headers, trusted=world.trusted)
    guards = world.duty.guards and asker is None
    doubts = [*misread("http_connection_manager", said, known.MANAGER), *early.doubts, *chain.doubts]
    doubts += targets.upgrades("http_connection_manager", said, guards=guards)
    doubts += targets.tunnels("http_connection_manager", said)
    request_id = members(said["request_id_extension"]).get("typed_config") if "request_id_extension" in said else None
    if request_id is not None and kind(request_id) != _UUID:
        doubts.append(Doubt(request_id, "request_id_extension", "is not understood"))
    read: list[Host] = []
    if "route_config" in said:
        read, found = hosts.read(said["route_config"], chain, guards=guards)
        doubts += found
    world.ledger.doubt(doubts)
    if chain.ext_proc is not None:
        asked.judge_router(world.duty, world.clusters, world.ledger, chain.ext_proc)
    for host in read:
        world.ledger.doubt(host.doubts)
        door = _Door(world, host, chain, early)
        if asker is not None and chain.ext_proc is None:
            door.judge_asked(asker)
        else:
            door.judge_silent()
            door.judge_decided()
            door.judge_chains()
    return sum(len(host.ways) for host in read)


class _Door:
    """One virtual host, behind its filters."""

    def __init__(self, world: World, host: Host, chain: Chain, early: Early) -> None:
        self._duty, self._clusters, self._ledger = world.duty, world.clusters, world.ledger
        self._host, self._chain, self._early = host, chain, early
        # Of each hole, one way through it is told.
        self._told: set[tuple[str, str, str]] = set()
        self._shown: dict[tuple[int, str | None], frozenset[str]] = {}
        # Routes by which decided requests surely come.
        self._walked: set[str] = set()

    def judge_silent(self) -> None:
        """Judge what becomes of requests that the router says nothing about, whatever the reason."""
        for requests in kinds.silent(self._duty, self._early):
            for reached in self._host.walk(requests.values):
                for target, server in self._reached(reached, self._early.forged):
                    self._silent(requests, reached, target, server)

    def judge_decided(self) -> None:
        """Judge what becomes of requests that the router chose a cluster for."""
        if self._chain.ext_proc is None:
            return
        tests = self._host.comparisons(CLUSTER_HEADER)
        alike: dict[tuple[bool | None, ...], list[str]] = {}
        for cluster in self._duty.chosen:
            value = Value(present=True, text=cluster)
            alike.setdefault(tuple(test.judge(value) for test in tests), []).append(cluster)
        for some, chain in product(alike.values(), kinds.chains(self._early)):
            # The router chooses for requests on its APIs' paths alone.
            for reached in self._host.walk(kinds.decided(some[0], chain), self._host.parts.api):
                self._walked.update([reached.way.field] if reached.certain else [])
                for cluster in some:
                    for target, server in self._reached(reached, frozenset(), cluster):
                        self._decided(cluster, reached, target, server)

    def judge_chains(self) -> None:
        """Judge what a chain may try after its first model, on every route that reads one, whoever takes it."""
        for way in self._host.ways:
            for target in (target for target in way.action.targets if target.chain):
                self._ledger.doubt(way.action.doubts)
                for cluster in self._duty.tried:
                    for server in self._clusters.servers(cluster):
                        self._tried(cluster, way, target, server)

    def judge_asked(self, rank: int) -> None:
        """Judge what becomes of requests that the router itself sends, up to a rank."""
        for reached in self._host.walk(kinds.asked()):
            for target, server in self._reached(reached, frozenset()):
                name = server.name if server else ""
                self._ledger.doubt(server.doubts if server else ())
                if server is None or (name in self._duty.clearance and not self._duty.cleared(name, rank)):
                    story = [self._duty.tiers[rank], "asked of a language model", *_way(reached.way, target, server)]
                    self._tell("asked", reached, name, story)

    def _reached(
        self, reached: Reached, forged: frozenset[str], chosen: str = ""
    ) -> Iterator[tuple[Target, Server | None]]:
        """Yield the servers that a route leads to; None for one that the client names.

        Args:
            reached: the route.
            forged: headers in which a client's word may stand.
            chosen: what the router wrote into its header; empty where it wrote nothing.
        """
        action = reached.way.action
        self._ledger.doubt(action.doubts)
        for target in action.targets:
            name = chosen if target.chain else target.cluster
            if target.header:
                name = chosen if target.header == CLUSTER_HEADER else ""
                if target.header in forged or target.header != CLUSTER_HEADER:
                    yield target, None
                    continue
            for server in self._clusters.servers(name) if name else ():
                yield target, server

    def _silent(self, requests: Kind, reached: Reached, target: Target, server: Server | None) -> None:
        duty, rank = self._duty, requests.rank
        name = server.name if server else ""
        is_model = server is None or name in duty.clearance
        rewrites = reached.way.action.rewrites or (server is not None and server.rewrites)
        may_be_api = rewrites or bool(reached.parts & self._host.parts.api)
        if server is not None and (rank or is_model or may_be_api or not name):
            self._ledger.doubt(server.doubts)
        if server is not None and not name:
            return
        owed = self._owed(rank, name)
        if owed is None:
            return
        sort, first = owed
        if not is_model and not rank:
            # Not ours, unless somebody speaks our APIs there.
            if may_be_api:
                why = f"cluster {name!r} is no model's, and requests that rules have to read may go there unread"
                if rewrites:
                    why += ": paths or hosts are rewritten on the way, so that any path may become an API's"
                self._ledger.doubt([Doubt(reached.way.place, reached.way.field, why)])
            return
        if (sort, reached.way.field, name) in self._told:
            return
        example = self._example(requests, reached.way)
        told = first + self._details(example, reached)
        story = [told, self._fault, *_way(reached.way, target, server)]
        cure = _UNMARKED if not is_model and sort == "header" else ""
        if example is _NONE and not self._early.joined:
            cure = _JOINED
        is_leak = self._tell(sort, reached, name, story, certain=example is not _NONE, cure=cure)
        if is_leak and sort == "content" and self._chain.ext_proc is not None and self._chain.allows:
            allow = self._chain.ext_proc.get("failure_mode_allow")
            why = "true: where the router is down or late, requests pass by the safety rules"
            self._ledger.leak(allow, "ext_proc.failure_mode_allow", why)

    def _owed(self, rank: int, name: str) -> tuple[str, str] | None:
        """Say why a request that nobody decided may not reach a cluster, by its mark or its content; None: it may.

        Args:
            rank: that it asks for.
            name: of the cluster; empty for one that a client names.
        """
        duty = self._duty
        if rank and not (name and duty.cleared(name, rank)):
            return "header", duty.tiers[rank]
        if duty.seals:
            return "content", f"unread by rule {duty.seals}"
        if rank < duty.rank and not (name and duty.cleared(name, duty.rank)):
            return "content", f"{duty.tiers[duty.rank]} by rule {duty.restricts}"
        return None

    def _details(self, example: str | object | None, reached: Reached) -> str:
        """Return what of a request takes it there, in brackets."""
        marked = f"{privacy.HEADER}: {example or '(empty)'}" if isinstance(example, str) else ""
        path = self._host.parts.shown(reached.parts)
        details = ", ".join(filter(None, (marked, f"path {path}" if path else "")))
        return f" ({details})" if details else ""

    def _decided(self, cluster: str, reached: Reached, target: Target, server: Server | None) -> None:
        rank, source = self._duty.chosen[cluster]
        if server is None:
            self._tell(
                "decided", reached, "", [*_chose(self._duty.tiers[rank], source), *_way(reached.way, target, None)]
            )
            return
        self._ledger.doubt(server.doubts)
        is_chosen = server.name == cluster and not (target.via or server.via)
        if server.name and not is_chosen and not self._duty.cleared(server.name, rank):
            story = [*_chose(self._duty.tiers[rank], source), *_way(reached.way, target, server)]
            self._tell("decided", reached, server.name, story, certain=not target.spare)

    def _tried(self, cluster: str, way: Way, target: Target, server: Server) -> None:
        rank, source = self._duty.tried[cluster]
        self._ledger.doubt(server.doubts)
        if not server.name or self._duty.cleared(server.name, rank):
            return
        story = [*_chose(self._duty.tiers[rank], source), *_way(way, target, server)]
        if server.name == cluster and not server.via:
            # Its body names a cleared model where the cluster's Lua has written it, and else the first of the chain.
            why = f"whether a later attempt names the right model: {' -> '.join(story)}{_MIXED}"
            self._ledger.doubt([Doubt(way.place, way.field, why)])
        else:
            self._tell("chain", Reached(way, 0, certain=way.field in self._walked), server.name, story)

    def _tell(
        self, sort: str, reached: Reached, name: str, story: list[str], *, certain: bool = True, cure: str = ""
    ) -> bool:
        """Tell a way to a server, once; say whether it is a leak, and not only something that nobody can judge."""
        way = reached.way
        if (sort, way.field, name) in self._told:
            return False
        self._told.add((sort, way.field, name))
        told = " -> ".join(story) + cure
        if certain and reached.certain:
            self._ledger.leak(way.place, way.field, told)
            return True
        self._ledger.doubt([Doubt(way.place, way.field, f"whether there is this way: {told}")])
        return False

    def _example(self, requests: Kind, way: Way) -> str | object | None:
        """Return a header with which some request surely takes a route; `_NONE` where none is known."""
        for example in (*requests.examples, *requests.named(self._host, self._duty.tiers)):
            if way.field in self._ways(requests, example):
                return example
        return _NONE

    def _ways(self, requests: Kind, example: str | None) -> frozenset[str]:
        """Return the routes that requests with one header may take, and surely some do."""
        key = requests.rank, example
        if key not in self._shown:
            walk = self._host.walk(requests.shown(example).values)
            self._shown[key] = frozenset(reached.way.field for reached in walk if reached.certain)
        return self._shown[key]

    @property
    def _fault(self) -> str:
        if self._chain.ext_proc is None:
            return "router not asked"
        return "router down" if self._chain.allows else "router ends its stream cleanly"


_NONE = object()
_MIXED = ", which has models of lower tiers, too: give those a cluster of their own (its servers may be the same)"
# What to do about it, said behind a way.
_UNMARKED = (
    f": a cluster of no model may get no marked request: add the header condition `name: {privacy.HEADER}, "
    "present_match: false` to the route, or close it"
)
_JOINED = (
    f": repeated {privacy.HEADER} headers are compared one by one: join them, as `early_header_mutation_extensions` of "
    f"envoy/envoy.yaml do (append {privacy.HEADER} with OVERWRITE_IF_EXISTS)"
)


def _chose(tier: str, source: Source) -> Iterable[str]:
    is_rule = source.rule not in (privacy.DEFAULT, privacy.NAMED)
    return tier, f"rule {source.rule}" if is_rule else source.rule, f"attempt {source.attempt}"


def _way(way: Way, target: Target, server: Server | None) -> Iterable[str]:
    yield f"route {way.name}"
    if target.via:
        yield target.via
    if server is None:
        yield f"any cluster that a client names in {target.header}"
        return
    yield from server.via
    yield f"cluster {server.name}"
