"""Virtual hosts, and the walk through their routes for all requests of a kind at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from extproc_router.envoyconf.place import Place
from extproc_router.envoyconf.proof import filters, known, mutations, targets
from extproc_router.envoyconf.proof.doubts import Doubt, misread
from extproc_router.envoyconf.proof.message import items, members, strange
from extproc_router.envoyconf.proof.paths import Parts
from extproc_router.envoyconf.proof.targets import Action, Scope, Target
from extproc_router.envoyconf.proof.values import HeaderTest, Value, tests
from extproc_router.policy import privacy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extproc_router.envoyconf.proof.filters import Chain

# Conditions of a route beside its path: those that some requests fulfil and others do not.
_VARYING = known.MATCH.harmless


class Way(Struct, frozen=True):
    """A route.

    Attributes:
        place: where it stands.
        name: its own, or its number.
        field: its name in messages.
        surely: parts of which its path condition takes every path.
        possibly: those of which it may take some.
        tests: its conditions on headers that are known.
        varies: whether it has other conditions, which not every request fulfils.
        opaque: whether it has conditions that are not understood.
        action: what it does.
    """

    place: Place
    name: str
    field: str
    surely: int
    possibly: int
    tests: tuple[HeaderTest, ...]
    varies: bool
    opaque: bool
    action: Action


class Reached(Struct, frozen=True):
    """A route that may take requests of a kind.

    Attributes:
        way: the route.
        parts: of the paths with which they come there.
        certain: whether some surely do: all conditions on the way are understood.
    """

    way: Way
    parts: int
    certain: bool


class Host(Struct, frozen=True):
    """A virtual host: its routes in order, and the parts of its paths."""

    name: str
    ways: tuple[Way, ...]
    parts: Parts
    doubts: tuple[Doubt, ...]

    def walk(self, values: Mapping[str, Value], parts: int | None = None) -> Iterator[Reached]:
        """Yield every route that may take a request of a kind.

        Args:
            values: what is known of its headers, lower-case name -> value.
            parts: of the paths that it may have; default: all.
        """
        left, dim = self.parts.all if parts is None else parts, 0
        for way in self.ways:
            at = left & way.possibly
            answers = {test.judge(values[test.name]) for test in way.tests} if at else {False}
            if False in answers:
                continue
            opaque = way.opaque or any(not test.kind for test in way.tests)
            yield Reached(way, at, certain=not opaque and bool(at & ~dim))
            if opaque:
                dim |= at
            elif not way.varies and None not in answers:
                left &= ~way.surely
            if not left:
                return

    def comparisons(self, header: str) -> list[HeaderTest]:
        """Return the conditions that look at a header's value."""
        return [test for way in self.ways for test in way.tests if test.name == header and test.compares]


def read(configuration: Place, chain: Chain, *, guards: bool) -> tuple[list[Host], list[Doubt]]:
    """Read the virtual hosts of a `RouteConfiguration`, and what above them is not understood.

    Args:
        configuration: the message.
        chain: the filters that run.
        guards: whether what goes on unread is a leak.
    """
    said = members(configuration)
    doubts = list(misread("route_config", said, known.ROUTE_CONFIGURATION))
    doubts += mutations.late("route_config", said)
    doubts += filters.per_route("route_config", said, chain)
    internal = said.get("internal_only_headers")
    if internal is not None:
        doubts += [
            Doubt(internal, "route_config.internal_only_headers", f"removes {header}, which may lower a tier")
            for header in mutations.mentioned(internal, (privacy.HEADER,))
        ]
    found = list(targets.mirrors("route_config", said))
    doubts += [doubt for doubt in found if isinstance(doubt, Doubt)]
    scope = Scope(
        "route_config",
        chain,
        targets.plugins(said),
        tuple(target for target in found if isinstance(target, Target)),
        guards=guards,
    )
    return [_host(index, place, scope) for index, place in enumerate(items(said.get("virtual_hosts")))], doubts


def _host(index: int, place: Place, above: Scope) -> Host:
    said = members(place)
    name = place.text("name") or str(index)
    field = f"virtual_hosts.{name}"
    doubts = list(misread(field, said, known.VIRTUAL_HOST))
    doubts += mutations.late(field, said)
    doubts += filters.per_route(field, said, above.chain)
    if "retry_policy" in said:
        doubts += misread(f"{field}.retry_policy", members(said["retry_policy"]), known.RETRY_POLICY)
    found = list(targets.mirrors(field, said))
    doubts += [doubt for doubt in found if isinstance(doubt, Doubt)]
    mirrors = (*above.mirrors, *(target for target in found if isinstance(target, Target)))
    scope = Scope(field, above.chain, above.plugins, mirrors, guards=above.guards)
    routes = [(at, members(at)) for at in items(said.get("routes"))]
    for number, (at, route) in enumerate(routes):
        action = members(route["route"]) if "route" in route else {}
        doubts += targets.tunnels(f"{field}.routes.{at.text('name') or number}.route", action)
    matches = [members(route["match"]) if "match" in route else {} for _, route in routes]
    parts = Parts(matches)
    ways = tuple(
        _way((at.text("name") or str(number), at), route, match, parts, scope)
        for number, ((at, route), match) in enumerate(zip(routes, matches, strict=True))
    )
    return Host(name, ways, parts, tuple(doubts))


def _way(named: tuple[str, Place], said: dict[str, Place], match: dict[str, Place], parts: Parts, scope: Scope) -> Way:
    name, place = named
    field = f"{scope.field}.routes.{name}"
    conditions = tests(match)
    taken = parts.taken(match)
    return Way(
        place=place,
        name=name,
        field=field,
        surely=taken.surely,
        possibly=taken.possibly,
        tests=tuple(test for test in conditions if test.name in mutations.OURS),
        varies=bool(match.keys() & _VARYING) or any(test.name not in mutations.OURS for test in conditions),
        opaque=any(strange(match, known.MATCH)),
        action=targets.read(field, place, said, scope),
    )
