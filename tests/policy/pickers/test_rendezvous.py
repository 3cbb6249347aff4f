from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.policy.pickers import rendezvous

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate

    Model = Callable[..., Candidate]

KEYS = [f"key {number}" for number in range(10_000)]


def test_it_does_not_change_between_versions(model: Model) -> None:
    pool = [model(name) for name in "abcd"]
    orders = ["".join(model.name for model in rendezvous.ranked(pool, key, {"d": 2.0}, "s")) for key in KEYS[:6]]
    assert orders == ["cabd", "bdac", "acbd", "bdca", "cdba", "cdba"]


@given(st.text(), st.permutations("abcdef"))
def test_it_does_not_depend_on_the_order_given(model: Model, key: str, names: list[str]) -> None:
    pool = [model(name) for name in names]
    assert rendezvous.ranked(pool, key, {}) == rendezvous.ranked(sorted(pool, key=lambda one: one.name), key, {})


@pytest.mark.parametrize("weights", [{}, {"a": 3.0}, {"a": 0.01, "c": 7.0}])
def test_keys_fall_in_proportion_to_the_weights(model: Model, weights: dict[str, float]) -> None:
    pool = [model(name) for name in "abcd"]
    first = Counter(rendezvous.ranked(pool, key, weights)[0].name for key in KEYS)
    total = sum(weights.get(name, 1.0) for name in "abcd")
    for name in "abcd":
        p = weights.get(name, 1.0) / total
        assert abs(first[name] - len(KEYS) * p) < 4 * (len(KEYS) * p * (1 - p)) ** 0.5


def test_where_a_model_goes_only_its_keys_move_and_they_spread(model: Model) -> None:
    pool = [model(name) for name in "abcde"]
    orphans = Counter[str]()
    for key in KEYS[:2000]:
        before, after = rendezvous.ranked(pool, key, {})[0], rendezvous.ranked(pool[1:], key, {})[0]
        if before is pool[0]:
            orphans[after.name] += 1
        else:
            assert after is before
    assert set(orphans) == set("bcde")
    assert max(orphans.values()) < 2 * min(orphans.values())


def test_another_salt_sends_keys_elsewhere(model: Model) -> None:
    pool = [model(name) for name in "ab"]
    same = sum(rendezvous.ranked(pool, key, {}, "one")[0] is rendezvous.ranked(pool, key, {}, "two")[0] for key in KEYS)
    assert abs(same - len(KEYS) / 2) < 2 * len(KEYS) ** 0.5
