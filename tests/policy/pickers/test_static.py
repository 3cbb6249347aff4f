from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_order_written_stays_and_only_the_first_will_do(
    model: Callable[..., Any], situation: Callable[..., Any], picker: Callable[..., Any]
) -> None:
    pool = [model("b", cost_input=9.0), model("a"), model("c")]
    ranked = picker(pool, pick="static").rank(pool, situation())
    assert [candidate.name for candidate in ranked.order] == ["b", "a", "c"]
    assert ranked.acceptable == {"b"}
