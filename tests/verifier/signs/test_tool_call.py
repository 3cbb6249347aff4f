from __future__ import annotations

import pytest

from extproc_router.attempts import Called, Heard, Verification
from extproc_router.verifier.signs import tool_call

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 32, ("a", "b"), ((1.0, 1.0), (2.0, 2.0)))


@pytest.mark.parametrize("arguments", ["{}", '{"a": 1}', "", " "])
def test_an_object_or_nothing_can_be_run(arguments: str) -> None:
    assert not tool_call.unreadable(Heard(calls=(Called("f", arguments),)), ASKED, False)


@pytest.mark.parametrize("arguments", ["{", '{"a": ', "[]", '"x"', "null", "{'a': 1}", "[" * 100_000, '"\udcff"'])
def test_anything_else_cannot(arguments: str) -> None:
    heard = Heard(calls=(Called("f", "{}"), Called("g", arguments)))
    assert tool_call.unreadable(heard, ASKED, False)
    assert not tool_call.unreadable(heard, ASKED, True)


def test_nor_can_a_call_of_nothing() -> None:
    assert tool_call.unreadable(Heard(calls=(Called(" ", "{}"),)), ASKED, False)
