"""One contract for every strategy; what is special about one is in pickers/."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc_router.candidates import Beliefs, Load
from extproc_router.policy.pickers import KINDS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Picker, Situation

Make: TypeAlias = "Callable[..., Any]"

NAMES = "abcdefg"
# How each may be written for models a, b and more.
OPTIONS: dict[str, dict[str, Any]] = {
    "static": {},
    "cheapest_above": {"quality": 0.6},
    "weighted": {"weights": {"cost": 1, "quality": 2, "latency": 1}},
    "threshold": {"strong": "a", "weak": "b", "at": 0.5},
    "hash": {"by": "header:x-tenant", "weights": {"a": 3}},
    "split": {"shares": {"a": 70, "b": 30}},
    "least_loaded": {},
}
pytestmark = pytest.mark.parametrize("pick", KINDS)

unit = st.floats(0, 1)
prices = st.floats(0, 1000)
milliseconds = st.floats(0, 100_000)


@st.composite
def worlds(draw: st.DrawFn, model: Make, situation: Make) -> tuple[list[Candidate], Situation]:
    """A pool, and a request."""
    pool = [
        model(
            name,
            cost_input=draw(prices),
            cost_output=draw(prices),
            quality=draw(st.dictionaries(st.sampled_from(["", "math", "law"]), unit, min_size=1)),
            ttft_ms=draw(milliseconds),
            tokens_per_second=draw(st.floats(0.1, 1000)),
        )
        for name in draw(st.permutations(NAMES[: draw(st.integers(2, len(NAMES)))]))
    ]
    labels = draw(st.sampled_from([frozenset(), frozenset({"math"}), frozenset({"history"})]))
    signals = (Signal("domain", "", 0.9, labels=labels), Signal("difficulty", "", 1.0, number=draw(unit)))
    keys = draw(st.dictionaries(st.sampled_from(["conversation", "header:x-tenant"]), st.text()))
    loads = draw(st.dictionaries(st.sampled_from(NAMES), st.builds(Load, st.floats(0, 100), milliseconds)))
    request = situation(
        signals,
        keys,
        tokens=draw(st.integers(0, 1_000_000)),
        max_tokens=draw(st.none() | st.integers(1, 10**30)),
        beliefs=Beliefs(loads),
    )
    return pool, request


def names(order: tuple[Candidate, ...]) -> list[str]:
    return [candidate.name for candidate in order]


def test_it_is_written_by_the_name_that_finds_it(pick: str) -> None:
    assert get_args(KINDS[pick].options.model_fields["pick"].annotation) == (pick,)
    assert OPTIONS.keys() == KINDS.keys()


def test_each_option_says_what_it_is(pick: str) -> None:
    schema = KINDS[pick].options.model_json_schema()
    assert schema["description"]
    assert [name for name, member in schema["properties"].items() if "description" not in member] == ["pick"]


@given(st.data())
@settings(max_examples=40)  # for each strategy
def test_it_orders_what_it_is_given_and_says_what_is_acceptable(
    pick: str, model: Make, situation: Make, picker: Make, data: st.DataObject
) -> None:
    pool, request = data.draw(worlds(model, situation))
    strategy: Picker = picker(pool, pick=pick, **OPTIONS[pick])
    left = data.draw(st.lists(st.sampled_from(pool), min_size=1, unique_by=lambda candidate: candidate.name))
    ranked = strategy.rank(left, request)
    assert ranked is not None
    assert sorted(names(ranked.order)) == sorted(names(tuple(left)))
    assert ranked.acceptable
    assert ranked.acceptable <= set(names(ranked.order))
    assert ranked.order[0].name in ranked.acceptable
    assert ranked.why
    assert strategy.rank(left, request) == ranked
    if ranked.scores:
        scores = [ranked.scores[name] for name in names(ranked.order)]
        assert scores == sorted(scores, reverse=True)
        assert all(math.isfinite(score) for score in scores)


@given(st.data())
@settings(max_examples=40)  # for each strategy
def test_who_is_before_whom_does_not_depend_on_a_third(
    pick: str, model: Make, situation: Make, picker: Make, data: st.DataObject
) -> None:
    pool, request = data.draw(worlds(model, situation))
    strategy: Picker = picker(pool, pick=pick, **OPTIONS[pick])
    gone = data.draw(st.sampled_from(pool))
    whole = strategy.rank(pool, request)
    part = strategy.rank([candidate for candidate in pool if candidate is not gone], request)
    assert whole is not None
    assert part is not None
    assert names(part.order) == [name for name in names(whole.order) if name != gone.name]


@given(st.data())
@settings(max_examples=40)  # for each strategy
def test_it_reads_the_signals_that_it_names_and_needs_them(
    pick: str, model: Make, situation: Make, picker: Make, data: st.DataObject
) -> None:
    pool, request = data.draw(worlds(model, situation))
    strategy: Picker = picker(pool, pick=pick, **OPTIONS[pick])
    read = set()

    def absent(name: str) -> Signal:
        read.add(name)
        return Signal(name, "", 0.0, absent="overload")

    ranked = strategy.rank(pool, situation(signal=absent, key=request.key))
    assert read == strategy.needs
    assert (ranked is None) == bool(strategy.needs)


def test_no_reason_tells_a_key(pick: str, model: Make, situation: Make, picker: Make) -> None:
    key = "written by a client"
    pool = [model(name, quality={"": 0.5}, ttft_ms=10.0, tokens_per_second=10.0) for name in "abc"]
    request = situation((Signal("difficulty", "", 1.0, number=0.2),), {"conversation": key, "header:x-tenant": key})
    ranked = picker(pool, pick=pick, **OPTIONS[pick]).rank(pool, request)
    assert key not in repr((ranked.why, ranked.scores))
