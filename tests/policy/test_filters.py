from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.policy import filters
from extproc_router.policy.filters import Lack, Refusal
from extproc_router.types import Modality

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate

    Make = Callable[..., Any]

IMAGE, AUDIO = frozenset({Modality.IMAGE}), frozenset({Modality.AUDIO})


def names(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.name for candidate in candidates]


@pytest.mark.parametrize(
    ("stated", "asked", "expected"),
    [
        ({}, {"tokens": 10**9, "modalities": IMAGE, "tools": True}, None),
        ({"window": 8192}, {"tokens": 8192}, None),
        ({"window": 8192}, {"tokens": 7192, "max_tokens": 1000}, None),
        ({"window": 8192}, {"tokens": 12_000}, Refusal(Lack.WINDOW, "window 8192 < 12000 tokens")),
        ({"window": 8192}, {"tokens": 8000, "max_tokens": 193}, Refusal(Lack.WINDOW, "window 8192 < 8193 tokens")),
        ({"window": 9}, {"tokens": 1, "max_tokens": 10**4000}, Refusal(Lack.WINDOW, "window 9 < 1000000000 tokens")),
        ({"modalities": IMAGE}, {"modalities": IMAGE}, None),
        ({"modalities": frozenset()}, {}, None),
        ({"modalities": frozenset()}, {"modalities": IMAGE}, Refusal(Lack.MODALITY, "takes no image")),
        (
            {"modalities": frozenset()},
            {"modalities": IMAGE | AUDIO},
            Refusal(Lack.MODALITY, "takes no audio or image"),
        ),
        ({"modalities": AUDIO}, {"modalities": IMAGE | AUDIO}, Refusal(Lack.MODALITY, "takes no image")),
        ({"tools": True}, {"tools": True}, None),
        ({"tools": False}, {}, None),
        ({"tools": False}, {"tools": True}, Refusal(Lack.TOOLS, "calls no tools")),
        ({"apis": frozenset({"chat_completions"})}, {}, None),
        ({"apis": frozenset({"embeddings"})}, {}, Refusal(Lack.API, "does not speak chat_completions")),
        ({"apis": frozenset({"embeddings"}), "window": 1}, {}, Refusal(Lack.API, "does not speak chat_completions")),
    ],
)
def test_a_model_is_refused_for_what_it_states_alone(
    model: Make, situation: Make, stated: dict[str, Any], asked: dict[str, Any], expected: Refusal | None
) -> None:
    assert filters.why_not(model("a", **stated), situation(**asked)) == expected


def test_those_that_can_stay_in_their_order_and_the_others_are_told(model: Make, situation: Make) -> None:
    pool = [model("narrow", window=10), model("b"), model("blind", modalities=frozenset()), model("a", window=5000)]
    kept, refused = filters.capable(pool, situation(modalities=IMAGE))
    assert names(kept) == ["b", "a"]
    assert refused == {
        "narrow": Refusal(Lack.WINDOW, "window 10 < 1000 tokens"),
        "blind": Refusal(Lack.MODALITY, "takes no image"),
    }


def test_where_only_windows_are_too_small_the_largest_stay(model: Make, situation: Make) -> None:
    pool = [model("a", window=10), model("b", window=20), model("c", window=20), model("d", window=5)]
    kept, refused = filters.capable(pool, situation())
    assert names(kept) == ["b", "c"]
    assert refused.keys() == {"a", "d"}


def test_a_large_window_does_not_make_up_for_anything_else(model: Make, situation: Make) -> None:
    pool = [model("blind", window=900, modalities=frozenset()), model("narrow", window=10)]
    kept, refused = filters.capable(pool, situation(modalities=IMAGE))
    assert names(kept) == ["narrow"]
    assert refused["blind"].lack is Lack.MODALITY


def test_where_none_takes_what_the_request_carries_none_stays(model: Make, situation: Make) -> None:
    pool = [model("a", modalities=AUDIO), model("b", tools=False)]
    kept, refused = filters.capable(pool, situation(modalities=IMAGE, tools=True))
    assert kept == ()
    assert refused == {"a": Refusal(Lack.MODALITY, "takes no image"), "b": Refusal(Lack.TOOLS, "calls no tools")}


def test_of_nobody_nobody_stays(situation: Make) -> None:
    assert filters.capable([], situation()) == ((), {})


@given(st.data())
def test_everybody_either_stays_or_is_told(model: Make, situation: Make, data: st.DataObject) -> None:
    some = st.none() | st.frozensets(st.sampled_from(Modality))
    pool = [
        model(
            str(number),
            window=data.draw(st.none() | st.integers(1, 2000)),
            modalities=data.draw(some),
            tools=data.draw(st.none() | st.booleans()),
            apis=data.draw(st.none() | st.frozensets(st.sampled_from(["chat_completions", "responses"]))),
        )
        for number in range(data.draw(st.integers(0, 6)))
    ]
    request = situation(modalities=data.draw(st.frozensets(st.sampled_from(Modality))), tools=data.draw(st.booleans()))
    kept, refused = filters.capable(pool, request)
    assert [candidate for candidate in pool if candidate.name not in refused] == list(kept)
    lacks = {refusal.lack for candidate in kept if (refusal := filters.why_not(candidate, request))}
    assert lacks <= {Lack.WINDOW}
    if lacks:
        assert len({candidate.window for candidate in kept}) == 1
    if not kept:
        assert all(refusal.lack is not Lack.WINDOW for refusal in refused.values())


@pytest.mark.parametrize(
    ("estimated", "counted", "fits", "asked"),
    [
        (900, 1100, False, True),  # the estimate was too low
        (1100, 1000, True, True),  # or too high
        (1100, None, False, True),  # no tokenizer: the estimate stands
        (400, 5000, True, False),  # far below the window nobody counts
        (2100, 10, False, False),  # nor far above
    ],
)
def test_near_the_window_tokens_are_counted(
    model: Make, situation: Make, estimated: int, counted: int | None, fits: bool, asked: bool
) -> None:
    names: list[str] = []

    def count(name: str) -> int | None:
        names.append(name)
        return counted

    candidate = model("a", window=1000, tokenizer="a.json")
    assert (filters.window(candidate, situation(tokens=estimated, count=count)) is None) is fits
    assert names == ["a"] * asked


def test_what_the_client_wants_to_hear_counts_too(model: Make, situation: Make) -> None:
    near = situation(tokens=600, max_tokens=300, count=lambda _: 701)
    assert filters.window(model("a", window=1000, tokenizer="a.json"), near) is not None
    assert filters.window(model("a", window=1000), near) is None
