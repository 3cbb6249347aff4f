from __future__ import annotations

import sys
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.policy.base import Ranked
from extproc_router.policy.stickiness import Held, hold

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = bytes(range(32))


def test_the_last_model_is_remembered() -> None:
    held = Held(10, SECRET)
    assert held.get("one") is None
    held.put("one", "small")
    held.put("one", "large")
    assert held.get("one") == "large"
    assert len(held) == 1


def test_the_least_recently_used_conversation_is_forgotten() -> None:
    held = Held(2, SECRET)
    held.put("one", "a")
    held.put("two", "b")
    held.get("one")
    held.put("three", "c")
    assert [held.get(key) for key in ("one", "two", "three")] == ["a", None, "c"]


@given(st.integers(1, 5), st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefgh"))))
def test_it_is_a_bounded_memory_of_what_was_used_last(capacity: int, steps: list[tuple[bool, str]]) -> None:
    held, expected = Held(capacity, SECRET), OrderedDict[str, str]()
    for number, (writes, key) in enumerate(steps):
        if writes:
            held.put(key, str(number))
            expected[key] = str(number)
        assert held.get(key) == expected.get(key)
        if key in expected:
            expected.move_to_end(key)
        while len(expected) > capacity:
            expected.popitem(last=False)
        assert len(held) == len(expected)


def test_no_key_is_kept_and_no_two_instances_hash_alike() -> None:
    one, two = Held(10, SECRET), Held(10, bytes(32))
    for held in (one, two):
        held.put("a client wrote this", "small")
    assert "client" not in repr(one._models)
    assert one._models.keys().isdisjoint(two._models)


def test_one_thread_may_read_while_another_one_writes() -> None:
    held, interval = Held(3, SECRET), sys.getswitchinterval()

    def write() -> None:
        for number in range(5_000):
            held.put(str(number % 7), "small")

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            seen = {held.get(str(number % 7)) for number in range(5_000)}
            writing.result()
    finally:
        sys.setswitchinterval(interval)
    assert seen <= {None, "small"}
    assert len(held) == 3


@pytest.mark.parametrize(("capacity", "secret"), [(0, SECRET), (-1, SECRET), (1, b"short"), (1, bytes(65))])
def test_it_needs_room_and_a_secret(capacity: int, secret: bytes) -> None:
    with pytest.raises(ValueError, match=r"at least one|16 to 64 bytes"):
        Held(capacity, secret)


@pytest.fixture
def ranked(model: Callable[..., Any]) -> Ranked:
    order = (model("small"), model("large"), model("other"))
    return Ranked(order, frozenset({"small", "large"}), "difficulty 0.31 < 0.50", {"small": 1.0})


def test_a_new_conversation_goes_where_the_strategy_says(ranked: Ranked) -> None:
    assert hold(ranked, None) == (ranked, "", "")


@pytest.mark.parametrize(
    ("previous", "order"), [("small", ["small", "large", "other"]), ("large", ["large", "small", "other"])]
)
def test_a_model_that_will_do_is_kept(ranked: Ranked, previous: str, order: list[str]) -> None:
    held, sticky, why = hold(ranked, previous)
    assert [candidate.name for candidate in held.order] == order
    assert (held.acceptable, held.why, held.scores) == (ranked.acceptable, ranked.why, ranked.scores)
    assert (sticky, why) == ("held", f"the conversation stays with {previous}")


def test_a_model_that_will_not_do_yields(ranked: Ranked) -> None:
    assert hold(ranked, "other") == (ranked, "yielded", "other does not suffice: difficulty 0.31 < 0.50")


def test_a_model_that_is_filtered_out_yields(ranked: Ranked) -> None:
    assert hold(ranked, "blind") == (ranked, "yielded", "blind cannot serve this request")
