from __future__ import annotations

import pytest

from extproc_router.lab.hunt.mutant import Mutant, Patch, broken


class Engine:
    def answer(self) -> int:
        return 1

    def other(self) -> int:
        return 1


def test_a_part_is_swapped_for_a_while() -> None:
    original = Engine.answer
    with broken("twice", Engine, "answer", lambda answer: lambda self: 2 * answer(self)).installed():
        assert Engine().answer() == 2
    assert Engine.answer is original


def test_it_is_put_back_whatever_happens() -> None:
    def fail(_: object) -> object:
        raise ValueError("not to be broken")

    original = Engine.answer
    patches = (Patch(Engine, "answer", lambda _: None), Patch(Engine, "other", fail))
    with pytest.raises(ValueError, match="not to be broken"), Mutant("both", patches).installed():
        pass
    assert Engine.answer is original
