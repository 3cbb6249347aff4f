from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.candidates import Beliefs, Candidate
from extproc_router.policy.base import Scope, Situation
from extproc_router.policy.conditions import PENDING_SIGNAL, All, Always, AnyOf, Not, State, Test
from extproc_router.policy.pickers import KINDS
from extproc_router.policy.rules import Action, Cascade, Edits, Fallback, Route, Safeguard, Think
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from extproc_router.policy.base import Picker
    from extproc_router.policy.conditions import Condition

SIGNALS = frozenset({"domain", "difficulty"})


def make_model(name: str, **members: Any) -> Candidate:
    """A model that costs nothing and states nothing else."""
    stated: dict[str, Any] = {
        "cluster": f"on-{name}",
        "served_name": name,
        "cost_input": 0.0,
        "cost_output": 0.0,
        "clearance": 0,
    }
    return Candidate(name=name, **(stated | members))


def make_situation(signals: Sequence[Signal] = (), keys: Mapping[str, str] | None = None, **members: Any) -> Situation:
    """A short prompt; signals that are not given are absent, keys likewise."""
    read = {signal.name: signal for signal in signals}
    stated: dict[str, Any] = {
        "api": "chat_completions",
        "tokens": 1000,
        "max_tokens": None,
        "modalities": frozenset(),
        "tools": False,
        "signal": lambda name: read.get(name, Signal(name, "", 0.0, absent="not given")),
        "key": (keys or {}).get,
        "beliefs": Beliefs(),
    }
    return Situation(**(stated | members))


def make_picker(pool: Sequence[Candidate], *, signals: frozenset[str] = SIGNALS, **options: Any) -> Picker:
    """Compile a strategy as a rule with these options would."""
    kind = KINDS[options["pick"]]
    return kind.build(kind.options.model_validate(options), Scope(tuple(pool), signals, numbers=signals - {"domain"}))


@pytest.fixture(scope="session")
def model() -> Callable[..., Candidate]:
    return make_model


@pytest.fixture(scope="session")
def situation() -> Callable[..., Situation]:
    return make_situation


@pytest.fixture(scope="session")
def picker() -> Callable[..., Picker]:
    return make_picker


class Reads:
    """Reads signals from a table, and remembers which."""

    def __init__(self, world: Mapping[str, Signal]) -> None:
        self.world = world
        self.names: set[str] = set()

    def __call__(self, name: str) -> Signal:
        self.names.add(name)
        return self.world[name]


LABELS = ("x", "y")
_labels = st.frozensets(st.sampled_from(LABELS), min_size=1)
_numbers = st.sampled_from([1.0, 2.0, 3.0])


class Logic:
    """Random conditions and rules over five signals, and worlds in which these say something or nothing."""

    names = ("a", "b", "c", "d", "reasoning")
    Reads = Reads

    @staticmethod
    def absent(name: str) -> Signal:
        return Signal(name, "", 0.0, absent="timeout")

    @staticmethod
    @cache
    def values(name: str) -> st.SearchStrategy[Signal]:
        """What a signal that was read may say."""
        return st.builds(
            lambda labels, confidence, number: Signal(name, "+".join(sorted(labels)), confidence, labels, number),
            st.frozensets(st.sampled_from(LABELS)),
            st.sampled_from([0.2, 0.9]),
            st.none() | _numbers,
        )

    @classmethod
    @cache
    def worlds(cls, *, absent: bool = False, pending: bool = False) -> st.SearchStrategy[dict[str, Signal]]:
        def signal(name: str) -> st.SearchStrategy[Signal]:
            unread = [st.just(cls.absent(name))] * absent + [st.just(PENDING_SIGNAL)] * pending
            return st.one_of(*unread, cls.values(name))

        return st.fixed_dictionaries({name: signal(name) for name in cls.names})

    @classmethod
    def fill(cls, world: Mapping[str, Signal], holes: State) -> st.SearchStrategy[dict[str, Signal]]:
        """Worlds in which what was absent, or what was not asked for, says something."""

        def signal(name: str, said: Signal) -> st.SearchStrategy[Signal]:
            if said is PENDING_SIGNAL:
                filled = cls.values(name) | st.just(cls.absent(name))
                return filled if holes is State.PENDING else st.just(said)
            return cls.values(name) if said.absent and holes is State.ABSENT else st.just(said)

        return st.fixed_dictionaries({name: signal(name, said) for name, said in world.items()})

    @classmethod
    @cache
    def conditions(cls, low: State = State.LOW) -> st.SearchStrategy[Condition]:
        def test(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
            floors = st.sampled_from([0.0, 0.5])
            return st.builds(Test, st.sampled_from(cls.names), floor=floors, low=st.just(low), **members)

        tests = st.one_of(
            test(any_of=_labels),
            test(all_of=_labels),
            test(truth=st.booleans()),
            test(above=_numbers, asks_labels=st.just(False), compares=st.just(True)),
            test(any_of=_labels, at_most=_numbers, compares=st.just(True)),
            st.just(Always()),
        )

        def joined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
            several = st.lists(parts, min_size=1, max_size=3).map(tuple)
            return st.builds(All, several) | st.builds(AnyOf, several) | st.builds(Not, parts)

        return st.recursive(tests, joined, max_leaves=6)

    @classmethod
    @cache
    def safeguards(cls, *, strict: bool = False) -> st.SearchStrategy[tuple[Safeguard, ...]]:
        """Some, strictest first, over tiers 0 to 3; rule number i is called `si`."""
        one = st.builds(
            Safeguard,
            name=st.just(""),
            condition=cls.conditions(State.NO),
            action=st.sampled_from(Action),
            tier=st.integers(0, 3),
            signal=st.sampled_from(cls.names),
            strict=st.just(True) if strict else st.booleans(),
            shadow=st.booleans() if not strict else st.just(False),
        )
        order = list(Action)
        return st.lists(one, max_size=4).map(
            lambda rules: tuple(
                replace(rule, name=f"s{index}")
                for index, rule in enumerate(sorted(rules, key=lambda rule: order.index(rule.action)))
            )
        )

    @staticmethod
    def fallbacks(pool: Sequence[Candidate]) -> st.SearchStrategy[Fallback]:
        """Some of these models, in any order."""
        names = st.lists(st.sampled_from([model.name for model in pool]), unique=True, max_size=4)
        return st.builds(Fallback, names.map(tuple), st.integers(1, 8))

    @classmethod
    def routes(cls, pool: Sequence[Candidate]) -> st.SearchStrategy[tuple[Route, ...]]:
        """Some, with every strategy, over models of these; rule number i is called `ri`."""
        pickers = st.one_of(
            st.just({"pick": "static"}),
            st.just({"pick": "cheapest_above", "quality": 0.5}),
            st.just({"pick": "weighted", "weights": {"cost": 1}}),
            st.just({"pick": "threshold", "strong": pool[0].name, "weak": pool[1].name, "at": 0.5, "signal": "d"}),
            st.just({"pick": "hash", "by": "header:x-tenant"}),
            st.just({"pick": "split", "shares": {pool[0].name: 50, pool[1].name: 50}}),
            st.just({"pick": "least_loaded"}),
        )

        def route(
            condition: Condition, more: Sequence[Candidate], options: dict[str, Any], members: dict[str, Any]
        ) -> Route:
            among = (*pool[:2], *more) if options["pick"] in {"threshold", "split"} else tuple(more)
            return Route("", condition, among, make_picker(among, signals=frozenset(cls.names), **options), **members)

        members = st.fixed_dictionaries(
            {
                "percent": st.sampled_from([100.0, 50.0]),
                "by": st.sampled_from(["request", "header:x-tenant"]),
                "shadow": st.booleans(),
                "edits": st.sampled_from([Edits(), Edits(think=Think.AUTO)]),
                "cascade": st.sampled_from([None, Cascade()]),
            }
        )
        several = st.lists(st.sampled_from(pool[2:]), min_size=1, unique_by=lambda model: model.name)
        one = st.builds(route, cls.conditions(), several, pickers, members)
        return st.lists(one, max_size=4).map(
            lambda routes: tuple(replace(route, name=f"r{index}") for index, route in enumerate(routes))
        )


@pytest.fixture(scope="session")
def logic() -> type[Logic]:
    return Logic
