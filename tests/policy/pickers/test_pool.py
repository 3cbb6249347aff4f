from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.policy.base import Scope
from extproc_router.policy.pickers import pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.candidates import Candidate


def test_names_that_are_not_in_the_pool_are_told_and_no_others(model: Callable[..., Candidate]) -> None:
    scope = Scope((model("a"), model("b")), frozenset())
    pool.require_models("shares", ["b", "a"], scope)
    with pytest.raises(ValueError, match=r"^shares: 'c', 'd' not among the models to choose from$"):
        pool.require_models("shares", ["c", "a", "d"], scope)


def test_a_signal_that_does_not_exist_is_told() -> None:
    scope = Scope((), frozenset({"difficulty"}))
    pool.require_signal("difficulty", scope)
    with pytest.raises(ValueError, match=r"^unknown signal 'dificulty'$"):
        pool.require_signal("dificulty", scope)


def test_the_first_alone(model: Callable[..., Candidate]) -> None:
    assert pool.first_of((model("b"), model("a"))) == {"b"}
