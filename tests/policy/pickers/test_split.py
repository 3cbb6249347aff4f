from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Make = Callable[..., Any]

KEYS = [f"conversation {number}" for number in range(10_000)]
NAMES = ("stable", "next", "other")


@pytest.fixture(scope="session")
def firsts(model: Make, situation: Make, picker: Make) -> Callable[..., list[str]]:
    """Where keys go."""

    def of(shares: Mapping[str, float], keys: list[str] = KEYS, **options: Any) -> list[str]:
        pool = [model(name) for name in NAMES]
        strategy = picker(pool, pick="split", shares=dict(shares), **options)
        return [strategy.rank(pool, situation(keys={"conversation": key})).order[0].name for key in keys]

    return of


@pytest.mark.parametrize(
    "shares",
    [
        {"stable": 50, "next": 50},
        {"stable": 95, "next": 5},
        {"stable": 99.5, "next": 0.5},
        {"stable": 33.33, "next": 33.33, "other": 33.34},
        {"stable": 100, "next": 0},
    ],
)
def test_each_gets_its_share(firsts: Callable[..., list[str]], shares: dict[str, float]) -> None:
    counts = Counter(firsts(shares))
    for name in NAMES:
        p = shares.get(name, 0.0) / 100
        assert abs(counts[name] - len(KEYS) * p) <= 4 * (len(KEYS) * p * (1 - p)) ** 0.5


def test_a_share_that_grows_takes_from_the_other_and_gives_it_nothing(firsts: Callable[..., list[str]]) -> None:
    for before, after in [(0, 5), (5, 20), (20, 100)]:
        moved = [
            pair
            for pair in zip(
                firsts({"stable": 100 - before, "next": before}),
                firsts({"stable": 100 - after, "next": after}),
                strict=True,
            )
            if pair[0] != pair[1]
        ]
        assert set(moved) == {("stable", "next")}


@given(st.integers(1, 97), st.data())
def test_no_key_leaves_a_share_that_alone_grows(
    firsts: Callable[..., list[str]], stable: int, data: st.DataObject
) -> None:
    following = data.draw(st.integers(1, 98 - stable))
    other = 100 - stable - following
    grown = data.draw(st.integers(1, other))
    before = firsts({"stable": stable, "next": following, "other": other}, KEYS[:300])
    after = firsts({"stable": stable, "next": following + grown, "other": other - grown}, KEYS[:300])
    assert all(now == "next" for now, then in zip(after, before, strict=True) if then == "next")


def test_another_experiment_draws_anew(firsts: Callable[..., list[str]]) -> None:
    shares = {"stable": 50, "next": 50}
    one, two = firsts(shares, experiment="one"), firsts(shares, experiment="two")
    same = sum(first == second for first, second in zip(one, two, strict=True))
    assert abs(same - len(KEYS) / 2) < 2 * len(KEYS) ** 0.5
    assert firsts(shares, experiment="one") == one


def test_what_has_no_share_comes_after_what_has_one(model: Make, situation: Make, picker: Make) -> None:
    pool = [model(name) for name in ("reserve", "off", "next", "stable")]
    strategy = picker(pool, pick="split", shares={"stable": 90, "next": 10, "off": 0}, experiment="soak")
    ranked = strategy.rank(pool, situation(keys={"conversation": "1"}))
    assert [candidate.name for candidate in ranked.order] == ["stable", "next", "reserve", "off"]
    assert ranked.acceptable == {"stable"}
    assert ranked.why == "90 % of soak, by conversation"
    ranked = strategy.rank(pool[:2], situation(keys={"conversation": "1"}))
    assert ranked.order[0].name == "reserve"
    assert ranked.why == "none that soak splits among can serve it"


def test_without_the_key_the_largest_share_serves(model: Make, situation: Make, picker: Make) -> None:
    pool = [model(name) for name in NAMES]
    ranked = picker(pool, pick="split", shares={"next": 10, "other": 30, "stable": 60}).rank(pool, situation())
    assert [candidate.name for candidate in ranked.order] == ["stable", "other", "next"]
    assert ranked.why == "no conversation: the largest share of split"


@pytest.mark.parametrize(
    ("shares", "complaint"),
    [
        ({"stable": 50, "next": 49.9}, "shares sum to 99.9, not to 100"),
        ({"stable": 60, "next": 60}, "shares sum to 120, not to 100"),
        ({"stable": 100}, "shares\n"),
        ({"stable": -1, "next": 101}, "shares.stable"),
        ({"stable": 90, "nxt": 10}, "shares: 'nxt' not among"),
    ],
)
def test_shares_are_of_one_hundred_and_of_known_models(
    firsts: Callable[..., list[str]], shares: dict[str, float], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        firsts(shares)
