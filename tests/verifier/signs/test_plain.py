from __future__ import annotations

import pytest
from msgspec.structs import replace

from extproc_router.attempts import Called, Heard, Verification
from extproc_router.verifier.signs import plain

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 32, ("a", "b"), ((1.0, 1.0), (2.0, 2.0)))


def test_broken_is_what_was_heard() -> None:
    assert plain.broken(Heard(broken=True), ASKED, True)
    assert not plain.broken(Heard(), ASKED, False)


@pytest.mark.parametrize("text", ["", " \n\t", "\u00a0\u2003"])
def test_blanks_are_empty_once_they_have_ended(text: str) -> None:
    assert plain.empty(Heard(text=text), ASKED, False)
    assert not plain.empty(Heard(text=text), ASKED, True)


def test_a_call_or_a_refusal_is_not_empty() -> None:
    assert not plain.empty(Heard(calls=(Called("f", "{}"),)), ASKED, False)
    assert not plain.empty(Heard(refusal="No."), ASKED, False)
    assert not plain.empty(Heard(text="0"), ASKED, False)


def test_truncated_is_the_servers_bound_not_the_clients() -> None:
    cut = Heard(text="and then", finish="length")
    assert plain.truncated(cut, ASKED, False)
    assert not plain.truncated(cut, replace(ASKED, bounded=True), False)
    assert not plain.truncated(cut, ASKED, True)
    assert not plain.truncated(Heard(text="and then", finish="stop"), ASKED, False)
