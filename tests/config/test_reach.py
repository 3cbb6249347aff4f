from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.config.conditions import Conditions
from extproc_router.config.reach import implies
from extproc_router.config.when import When
from extproc_router.policy.conditions import Always, Condition, State
from extproc_router.signals.base import Cost
from extproc_router.signals.plain import Plain, fact
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

LABELS = ("a", "b", "c")
READERS = {
    name: Plain(name, Cost.TEXT, lambda _: fact("x", ()), known=None, numeric=True, floor=0.5) for name in ("x", "y")
}


def condition(written: Any) -> Condition:
    return Conditions(READERS, {}, lambda *_: None).compile(When.model_validate(written), (), guards=False)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"x": "a"}, {"x": ["a", "b"]}),
        ({"x": "a", "y": True}, {"x": "a"}),
        ({"x": "a"}, {"any": [{"x": "a"}, {"y": True}]}),
        ({"any": [{"x": "a"}, {"x": "b"}]}, {"x": ["a", "b", "c"]}),
        ({"x": "a"}, {"x": True}),
        ({"x": {"all_of": ["a", "b"]}}, {"x": "b"}),
        ({"x": {"above": 5}}, {"x": {"at_least": 5}}),
        ({"x": 5}, {"x": {"above": 4, "below": 6}}),
        ({"x": {"any_of": ["a"], "above": 5}}, {"x": {"above": 3}}),
        ({"x": {"any_of": ["a"], "confidence": 0.9}}, {"x": "a"}),
        ({"not": {"x": "a"}}, {"not": {"x": "a"}}),
    ],
)
def test_what_is_narrower_is_found(narrow: Any, wide: Any) -> None:
    assert implies(condition(narrow), condition(wide))
    assert implies(condition(narrow), Always())
    assert not implies(condition(wide), condition(narrow)) or narrow == wide


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": "a"}, {"y": "a"}),
        ({"x": ["a", "b"]}, {"x": ["b", "c"]}),
        ({"x": {"at_least": 5}}, {"x": {"above": 5}}),
        ({"x": "a"}, {"x": {"any_of": ["a"], "confidence": 0.9}}),
        ({"x": "a"}, {"x": {"above": 0}}),
        ({"x": False}, {"x": True}),
        ({"x": True}, {"x": "a"}),
        ({"x": {"any_of": ["a", "b"]}}, {"x": {"all_of": ["a"]}}),
    ],
)
def test_what_may_be_otherwise_is_not(one: Any, other: Any) -> None:
    assert not implies(condition(one), condition(other))


numbers = st.integers(0, 3)
labels = st.lists(st.sampled_from(LABELS), min_size=1, max_size=3, unique=True)
tests = st.one_of(
    st.booleans(),
    labels,
    numbers,
    st.fixed_dictionaries(
        {},
        optional={
            "above": numbers,
            "at_least": numbers,
            "below": numbers,
            "at_most": numbers,
            "any_of": labels,
            "all_of": labels,
            "none_of": labels,
            "confidence": st.sampled_from([0.2, 0.8]),
        },
    ).filter(bool),
)
conditions = st.recursive(
    st.dictionaries(st.sampled_from(["x", "y"]), tests, min_size=1, max_size=2),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=4,
)
readings = st.builds(
    Signal,
    st.just("x"),
    st.just("x"),
    st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    st.frozensets(st.sampled_from(LABELS)),
    st.one_of(st.none(), st.floats(0, 3)),
)


@given(conditions, conditions, readings, readings)
def test_where_one_implies_another_no_request_passes_the_one_alone(one: Any, other: Any, x: Signal, y: Signal) -> None:
    def read(name: str) -> Signal:
        return {"x": x, "y": y}[name]

    first, second = condition(one), condition(other)
    if implies(first, second) and first.state(read) is State.YES:
        assert second.state(read) is State.YES


RULES = """\
models: [{name: a, cluster: c}]
routing: {default: a, domains: {math: a}}
rules:
"""


def test_each_rule_behind_a_wider_one_is_a_warning(review: Callable[..., tuple[list[str], list[str]]]) -> None:
    rules = [
        "when: {domain: [math, law]}",
        "when: {domain: law}",
        "when: {stream: true}, percent: 50",
        "when: {stream: true}",
    ]
    text = RULES + "".join(f"  - {{name: r{place}, use: a, {rule}}}\n" for place, rule in enumerate(rules))
    assert review(text) == (
        [],
        [
            "2: routing.domains: never reached: 'r0' takes all of its requests before",
            "5: rules.1: never reached: 'r0' takes all of its requests before",
        ],
    )
