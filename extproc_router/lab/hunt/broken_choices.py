"""Engines that choose what they may not: tiers misread, models not filtered, chains that grow behind the filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from extproc_router.errors import ClientError
from extproc_router.lab.hunt.mutant import Make, Part, broken
from extproc_router.policy import engine, privacy
from extproc_router.policy.engine import Policy
from extproc_router.policy.pickers.split import Split
from extproc_router.types import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

_ALL = 100.0  # percent


def _named(choose: Callable[[list[int]], int]) -> Make:
    """Choose among the ranks that a header names."""

    def make(tier_of: Part) -> Part:
        def ranks(header: str | None, tiers: Part) -> int:
            return 0 if header is None else choose([tier_of(name, tiers) for name in header.split(",")])

        return ranks

    return make


def _unknown_is(value: int) -> Make:
    def make(tier_of: Part) -> Part:
        def rank(header: str | None, tiers: Part) -> int:
            known = {tier.casefold() for tier in tiers}
            names = [name for name in (header or "").split(",") if name.strip().casefold() in known]
            return tier_of(",".join(names), tiers) if names else value

        return rank

    return make


def _as_written(_: Part) -> Part:
    """Know tiers by their exact spelling alone, and take what is none for nothing."""
    return lambda header, tiers: max(
        (tiers.index(name) for name in (header or "").split(",") if name in tiers), default=0
    )


def _cleared(may: Callable[[int, int], bool]) -> Make:
    return lambda _: lambda models, tier: tuple(model for model in models if may(model.clearance, tier))


def _everything(policy: Policy) -> engine.Allowed:
    return engine.Allowed(frozenset(policy.candidates), dict(policy.candidates), {})


def _widened(allowed: Part) -> Part:
    """Where nothing is left, take everything."""

    def widened(self: Policy, tier: int, situation: Part) -> Part:
        try:
            return allowed(self, tier, situation)
        except ClientError:
            return _everything(self)

    return widened


def _from_everything(is_meant: Callable[[Part], bool]) -> Make:
    """Let some rules choose from all models."""

    def make(apply: Part) -> Part:
        def applied(self: Policy, route: Part, allowed: Part, *rest: Part) -> Part:
            return apply(self, route, _everything(self) if is_meant(route) else allowed, *rest)

        return applied

    return make


def _stays(apply: Part) -> Part:
    """Keep a conversation with its model, whatever that one is cleared for."""

    def applied(self: Policy, *of: Part) -> Part:
        choice, previous = apply(self, *of), of[3]
        kept = None if previous is None else self.candidates.get(previous)
        return choice if kept is None else replace(choice, chain=(kept, *choice.chain), sticky="held")

    return applied


def _longer(extra: Callable[[Policy], Part]) -> Make:
    """Put more behind the chain."""
    return lambda chain: lambda self, order, allowed: (*chain(self, order, allowed), *extra(self))


def _default(policy: Policy) -> Part:
    return (policy.candidates[policy.default],)


def _whatever_fallback(chain: Part) -> Part:
    """Put the models of `fallback` behind, whatever they are cleared for."""

    def chained(self: Policy, order: Part, allowed: Part) -> Part:
        found = chain(self, order, allowed)
        models = (self.candidates[name] for name in self.fallback.models)
        return (*found, *(model for model in models if model not in found))

    return chained


def _takes_over(apply: Part) -> Part:
    """Let the second model of a rule's pool take over, whatever it is cleared for."""

    def applied(self: Policy, route: Part, *rest: Part) -> Part:
        choice = apply(self, route, *rest)
        if route.cascade is None or choice.rule != route.name:
            return choice
        first, *others = choice.chain
        taker = next(model for model in route.pool if model is not first)
        kept = (model for model in others if model is not taker)
        return replace(choice, chain=(first, taker, *kept), cascade=route.cascade)

    return applied


def _default_whatever(_: Part) -> Part:
    return lambda self, _allowed, reason, why, _tier: engine.Choice((self.candidates[self.default],), reason, why)


def _named_whatever(named: Part) -> Part:
    def choose(self: Policy, model: str, tier: int) -> engine.Choice:
        candidate = self.candidates.get(model)
        chosen: engine.Choice = named(self, model, tier) if candidate is None else _chosen(candidate)
        return chosen

    return choose


def _chosen(candidate: Part) -> engine.Choice:
    return engine.Choice((candidate,), Reason.NAMED, "named")


def _shadow_whatever(_: Part) -> Part:
    return lambda route, _allowed, _situation: f"{route.name}={route.pool[0].name}"


MUTANTS: Final = (
    broken("of several tiers the first counts", privacy, "tier_of", _named(lambda ranks: ranks[0])),
    broken("of several tiers the last counts", privacy, "tier_of", _named(lambda ranks: ranks[-1])),
    broken("of several tiers the lowest counts", privacy, "tier_of", _named(min)),
    broken("a tier that is none is passed over", privacy, "tier_of", _unknown_is(0)),
    broken("tiers are known by their case", privacy, "tier_of", _as_written),
    broken("the tier's header is not read", privacy, "tier_of", lambda _: lambda _header, _tiers: 0),
    broken("every model is cleared", privacy, "cleared", _cleared(lambda _clearance, _tier: True)),
    broken("clearance is one tier short", privacy, "cleared", _cleared(lambda clearance, tier: clearance + 1 >= tier)),
    broken("clearance is compared the wrong way", privacy, "cleared", _cleared(lambda cleared, tier: cleared <= tier)),
    broken("nothing left: all models", Policy, "allowed", _widened),
    broken("the default is chosen whatever its clearance", Policy, "_fall_back", _default_whatever),
    broken("the default ends every chain", Policy, "_chain", _longer(_default)),
    broken("chains end with all models", Policy, "_chain", _longer(lambda policy: policy.candidates.values())),
    broken("chains end with the models of fallback", Policy, "_chain", _whatever_fallback),
    broken("any model takes over from a cascade's first", Policy, "_apply", _takes_over),
    broken("a named model is not held to the tier", Policy, "named", _named_whatever),
    broken("rules choose from all models", Policy, "_apply", _from_everything(lambda _: True)),
    broken(
        "splits choose from all models", Policy, "_apply",
        _from_everything(lambda route: isinstance(route.picker, Split)),
    ),
    broken(
        "percentages choose from all models", Policy, "_apply", _from_everything(lambda route: route.percent < _ALL)
    ),
    broken("a conversation keeps its model", Policy, "_apply", _stays),
    broken("shadow rules tell of all models", engine, "_shadow", _shadow_whatever),
)  # fmt: skip
"""What is broken in choosing."""
