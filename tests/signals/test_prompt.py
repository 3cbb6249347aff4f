from __future__ import annotations

import pytest

from extproc_router.signals import prompt
from extproc_router.types import Request, Turn

LONG = "Explain how a bill becomes a law in the United States."


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        ([], ""),
        ([("user", "  ")], ""),
        ([("system", "You are a lawyer."), ("user", LONG)], LONG),
        ([("user", "old question"), ("assistant", "an answer"), ("user", LONG)], LONG),
        ([("user", LONG), ("assistant", "..."), ("user", "why?")], f"{LONG}\nwhy?"),
        ([("user", "hi"), ("tool", "a long result of a tool"), ("user", "  ")], "hi"),
        ([("human", LONG)], LONG),
        ([("system", "Only a system prompt.")], "Only a system prompt."),
    ],
)
def test_the_users_last_turn_stands_for_the_request(turns: list[tuple[str, str]], text: str) -> None:
    assert prompt.text_of(request(turns)) == text


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        ([], ""),
        ([("system", "rules"), ("developer", "more"), ("assistant", "an answer")], ""),
        (
            [("user", " one "), ("assistant", "two"), ("tool", "three"), ("user", "  "), ("user", "four")],
            "one\nthree\nfour",
        ),
        ([("anybody", "else")], "else"),
    ],
)
def test_what_comes_in_is_all_that_nobody_vouches_for(turns: list[tuple[str, str]], text: str) -> None:
    assert prompt.incoming_of(request(turns)) == text


def request(turns: list[tuple[str, str]]) -> Request:
    return Request(
        api="chat_completions",
        model="auto",
        model_span=(0, 0),
        turns=tuple(Turn(role, content) for role, content in turns),
        stream=False,
        modalities=frozenset(),
        tools=False,
    )
