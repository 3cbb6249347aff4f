from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from extproc_router.signals import conversation
from extproc_router.signals.base import NO_ANSWERS
from extproc_router.types import Signal

if TYPE_CHECKING:
    from tests.signals.conftest import Build, MakeSubject

RULES = "You are a lawyer."
HASH = hashlib.sha256(RULES.encode()).hexdigest()[:12]


def test_turns_are_counted_and_the_system_prompt_is_hashed(build: Build, subject: MakeSubject) -> None:
    seen = subject(("system", RULES), "one", ("assistant", "two"), ("tool", "three"))
    assert build("conversation").read(seen, NO_ANSWERS) == Signal(
        "conversation", f"system prompt {HASH}", 1.0, frozenset({HASH}), 3.0
    )


def test_there_may_be_no_system_prompt(build: Build, subject: MakeSubject) -> None:
    assert build("conversation").read(subject("one"), NO_ANSWERS) == Signal("conversation", "none", 1.0, number=1.0)
    assert build("conversation").read(subject(), NO_ANSWERS) == Signal("conversation", "none", 1.0, number=0.0)


@pytest.mark.parametrize(
    "turns",
    [
        [("system", RULES)],
        [("developer", RULES), ("user", "one"), ("system", "and be brief")],
        [("system", ""), ("system", RULES)],
        [("system", "You are"), ("user", "one")],
    ],
)
def test_what_the_operator_says_first_is_the_system_prompt(subject: MakeSubject, turns: list[tuple[str, str]]) -> None:
    is_it = any(text == RULES for _, text in turns)
    assert (conversation.system_hash(subject(*turns).request) == HASH) is is_it


def test_several_parts_are_one_prompt(subject: MakeSubject) -> None:
    parts = conversation.system_hash(subject(("system", "a"), ("developer", "b")).request)
    assert parts == conversation.system_hash(subject(("system", "a\nb")).request)
