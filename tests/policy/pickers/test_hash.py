from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., Any]


def test_a_key_stays_where_it_is_and_only_there(model: Make, situation: Make, picker: Make) -> None:
    pool = [model(name) for name in "abc"]
    strategy = picker(pool, pick="hash", by="header:x-tenant")
    firsts = set()
    for number in range(50):
        request = situation(keys={"header:x-tenant": f"tenant {number}"})
        ranked = strategy.rank(pool, request)
        assert strategy.rank(pool[::-1], request).order == ranked.order
        assert ranked.acceptable == {ranked.order[0].name}
        assert ranked.why == "by hash of header:x-tenant"
        firsts.add(ranked.order[0].name)
    assert firsts == set("abc")


def test_a_weight_draws_keys(model: Make, situation: Make, picker: Make) -> None:
    pool = [model(name) for name in "ab"]
    strategy = picker(pool, pick="hash", by="request", weights={"a": 1_000_000})
    first = [strategy.rank(pool, situation(keys={"request": str(number)})).order[0].name for number in range(50)]
    assert first == ["a"] * 50


def test_without_the_key_the_order_given_stays(model: Make, situation: Make, picker: Make) -> None:
    pool = [model(name) for name in "bca"]
    ranked = picker(pool, pick="hash", by="conversation").rank(pool, situation())
    assert [candidate.name for candidate in ranked.order] == ["b", "c", "a"]
    assert ranked.acceptable == {"b"}
    assert ranked.why == "no conversation to hash: the first"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"by": "tenant"}, "by\n"),
        ({"by": "header:X-Tenant"}, "by\n"),
        ({}, "by\n"),
        ({"by": "request", "weights": {"c": 1}}, "weights: 'c' not among"),
        ({"by": "request", "weights": {"a": 0}}, "weights.a"),
    ],
)
def test_what_is_hashed_and_weighed_must_be_known(
    model: Make, picker: Make, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        picker([model("a"), model("b")], pick="hash", **options)
