from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router import wiring
from extproc_router.explaining.outcome import outcome
from extproc_router.types import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router


@pytest.mark.parametrize(
    ("prompt", "members", "said"),
    [
        ("hello", {}, "route"),
        ("an attack", {}, "block"),
        ("damn", {}, "refuse"),
        ("broken", {}, "unchecked"),
        ("hello", {"model": "gpt-9"}, "error"),
    ],
)
def test_each_has_its_word(
    router: Router,
    scripted_encoder: Any,
    post: Callable[..., HttpRequest],
    prompt: str,
    members: dict[str, Any],
    said: str,
) -> None:
    answer, _ = wiring.decide(router, scripted_encoder, post(prompt, **members))
    assert outcome(answer) == said


def test_what_is_not_routed_passes(router: Router, scripted_encoder: Any) -> None:
    answer, _ = wiring.decide(router, scripted_encoder, HttpRequest("POST", "/elsewhere", {}, b""))
    assert outcome(answer) == "pass"
