from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate
    from extproc_router.policy.base import Ranked

    Make = Callable[..., Any]

OPTIONS = {"pick": "threshold", "strong": "large", "weak": "small", "at": 0.5}


@pytest.fixture
def pool(model: Make) -> list[Candidate]:
    return [model("other"), model("small"), model("large")]


def difficulty(number: float | None) -> Signal:
    return Signal("difficulty", "", 1.0, number=number)


def names(ranked: Ranked) -> list[str]:
    return [candidate.name for candidate in ranked.order]


@pytest.mark.parametrize("number", [0.5, 0.71, 1.0])
def test_at_and_above_it_only_the_strong_model_will_do(
    pool: list[Candidate], situation: Make, picker: Make, number: float
) -> None:
    ranked = picker(pool, **OPTIONS).rank(pool, situation([difficulty(number)]))
    assert names(ranked) == ["large", "small", "other"]
    assert ranked.acceptable == {"large"}
    assert ranked.why == f"difficulty {number:g} >= 0.5"


@pytest.mark.parametrize("number", [0.0, 0.49])
def test_below_it_the_weak_model_is_first_and_both_will_do(
    pool: list[Candidate], situation: Make, picker: Make, number: float
) -> None:
    ranked = picker(pool, **OPTIONS).rank(pool, situation([difficulty(number)]))
    assert names(ranked) == ["small", "large", "other"]
    assert ranked.acceptable == {"small", "large"}
    assert ranked.why == f"difficulty {number:g} < 0.5"


def test_where_the_strong_model_cannot_serve_what_is_left_must(
    pool: list[Candidate], situation: Make, picker: Make
) -> None:
    ranked = picker(pool, **OPTIONS).rank(pool[:2], situation([difficulty(0.9)]))
    assert names(ranked) == ["small", "other"]
    assert ranked.acceptable == {"small"}


def test_a_signal_without_a_number_decides_nothing(pool: list[Candidate], situation: Make, picker: Make) -> None:
    assert picker(pool, **OPTIONS).rank(pool, situation([difficulty(None)])) is None


def test_another_signal_may_decide(pool: list[Candidate], situation: Make, picker: Make) -> None:
    strategy = picker(pool, signals=frozenset({"jailbreak"}), signal="jailbreak", **OPTIONS)
    assert strategy.needs == {"jailbreak"}
    ranked = strategy.rank(pool, situation([Signal("jailbreak", "", 0.9, number=0.9)]))
    assert names(ranked)[0] == "large"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"strong": "huge"}, "strong: 'huge' not among"),
        ({"weak": "tiny"}, "weak: 'tiny' not among"),
        ({"weak": "large"}, "must be two models"),
        ({"signal": "dificulty"}, "unknown signal 'dificulty'"),
        ({"at": 1.5}, "at\n"),
    ],
)
def test_names_and_numbers_must_be_known(
    pool: list[Candidate], picker: Make, changed: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        picker(pool, **(OPTIONS | changed))
