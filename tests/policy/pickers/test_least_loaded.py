from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.candidates import Beliefs, Load

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.policy.base import Ranked

    Make = Callable[..., Any]


def names(ranked: Ranked) -> list[str]:
    return [candidate.name for candidate in ranked.order]


def test_before_anything_is_believed_what_is_stated_counts(model: Make, situation: Make, picker: Make) -> None:
    pool = [model("slow", ttft_ms=300.0), model("fast", ttft_ms=100.0), model("near", ttft_ms=150.0)]
    ranked = picker(pool, pick="least_loaded").rank(pool, situation())
    assert names(ranked) == ["fast", "near", "slow"]
    assert ranked.acceptable == {"fast", "near"}
    assert ranked.scores == {"slow": -300.0, "fast": -100.0, "near": -150.0}
    assert ranked.why == "expected wait 100 ms"


def test_what_is_believed_stands_above_what_is_stated(model: Make, situation: Make, picker: Make) -> None:
    pool = [model("busy", ttft_ms=100.0), model("idle", ttft_ms=400.0), model("unseen", ttft_ms=350.0)]
    beliefs = Beliefs({"busy": Load(4.0, 110.0), "idle": Load(0.0, 200.0), "stranger": Load(0.0, 1.0)})
    ranked = picker(pool, pick="least_loaded", slack_ms=0).rank(pool, situation(beliefs=beliefs))
    assert names(ranked) == ["idle", "unseen", "busy"]
    assert ranked.scores == {"busy": -550.0, "idle": -200.0, "unseen": -350.0}
    assert ranked.acceptable == {"idle"}


@pytest.mark.parametrize(
    ("ttft_ms", "believed", "expected"),
    [
        ((None, 100.0, 300.0), {}, 300.0),
        ((None, 100.0, 300.0), {"b": Load(9.0, 100.0)}, 300.0),
        ((None, None, None), {"b": Load(1.0, 100.0), "c": Load(0.0, 50.0)}, 200.0),
        ((None, None, None), {}, 0.0),
    ],
)
def test_what_nobody_knows_is_taken_for_slow(
    model: Make,
    situation: Make,
    picker: Make,
    ttft_ms: tuple[float | None, ...],
    believed: dict[str, Load],
    expected: float,
) -> None:
    pool = [model(name, ttft_ms=stated) for name, stated in zip("abc", ttft_ms, strict=True)]
    ranked = picker(pool, pick="least_loaded").rank(pool, situation(beliefs=Beliefs(believed)))
    assert ranked.scores["a"] == -expected


def test_equal_waits_keep_the_order_given(model: Make, situation: Make, picker: Make) -> None:
    pool = [model(name) for name in "bca"]
    ranked = picker(pool, pick="least_loaded").rank(pool, situation())
    assert names(ranked) == ["b", "c", "a"]
    assert ranked.acceptable == set("abc")
