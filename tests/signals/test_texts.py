from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.signals import texts

if TYPE_CHECKING:
    from extproc_router.signals.texts import Of
    from tests.signals.conftest import MakeSubject

LONG = "And what does the second of these clauses say?"


@pytest.mark.parametrize(
    ("of", "text"),
    [
        ("prompt", LONG),
        ("incoming", f"first\nfound\n{LONG}"),
        ("everything", f"rules\nfirst\nanswer\nfound\n{LONG}"),
    ],
)
def test_each_name_is_a_text(subject: MakeSubject, of: Of, text: str) -> None:
    turns = [("system", "rules"), ("user", "first"), ("assistant", "answer"), ("tool", "found"), ("user", LONG)]
    assert texts.text_of(subject(*turns), of) == text


def test_half_a_surrogate_pair_is_bytes_too() -> None:
    assert texts.utf8("a\ud800ü") == "a?ü".encode()
