from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.policy.keys import key_of, share
from extproc_router.types import Request, Turn


def request(*turns: tuple[str, str]) -> Request:
    said = tuple(Turn(role, text) for role, text in turns)
    return Request("chat_completions", "", (0, 0), said, stream=False, modalities=frozenset(), tools=False)


def conversation(*turns: tuple[str, str]) -> str | None:
    return key_of("conversation", {}, request(*turns), "id")


SYSTEM, ASKED = ("system", "Be brief."), ("user", "Why is the sky blue?")


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("request", "id"),
        ("header:x-tenant", "acme"),
        ("header:x-other", None),
        ("header:x-empty", None),
        ("header:conversation", None),
    ],
)
def test_ids_and_headers_are_taken_as_they_are(by: str, key: str | None) -> None:
    assert key_of(by, {"x-tenant": "acme", "x-empty": ""}, request(), "id") == key


def test_no_id_is_no_key() -> None:
    assert key_of("request", {}, request(), "") is None


def test_all_requests_of_a_conversation_share_its_key() -> None:
    first = conversation(SYSTEM, ASKED)
    assert first is not None
    later = conversation(SYSTEM, ASKED, ("assistant", "Rayleigh."), ("system", "Hurry."), ("user", "And at dusk?"))
    assert later == first


@pytest.mark.parametrize(
    "other",
    [
        (ASKED,),
        (SYSTEM, ("user", "Why is the sea blue?")),
        (("system", "Be long."), ASKED),
        (SYSTEM, SYSTEM, ASKED),
        (("user", "Be brief.Why is the sky blue?"),),
        (("system", "Be brief.Why"), ("user", " is the sky blue?")),
    ],
)
def test_what_begins_otherwise_is_another_conversation(other: tuple[tuple[str, str], ...]) -> None:
    assert conversation(*other) != conversation(SYSTEM, ASKED)


def test_a_greeting_of_the_model_changes_nothing() -> None:
    assert conversation(SYSTEM, ("assistant", "Hello!"), ASKED) == conversation(SYSTEM, ASKED)


@pytest.mark.parametrize(
    "turns", [(), (SYSTEM,), (SYSTEM, ("tool", "42")), (SYSTEM, ("user", " ")), (("user", ""), ASKED)]
)
def test_where_the_user_begins_with_nothing_there_is_no_conversation_to_tell_apart(
    turns: tuple[tuple[str, str], ...],
) -> None:
    assert conversation(*turns) is None


def test_it_is_a_digest_that_does_not_change_between_versions() -> None:
    assert conversation(SYSTEM, ASKED) == "c985c42e8985c6bd15d0adf8549964b6"


@pytest.mark.parametrize(
    ("key", "salt", "expected"),
    [("a", "", 0.7417194198289921), ("a", "salt", 0.12088014493860288), ("é\ud800", "s", 0.24256603212700434)],
)
def test_shares_do_not_change_between_versions(key: str, salt: str, expected: float) -> None:
    assert share(key, salt) == expected


@given(st.text(), st.text())
def test_a_share_is_between_0_and_1(key: str, salt: str) -> None:
    assert 0 < share(key, salt) < 1


def test_shares_are_uniform_and_salts_are_independent() -> None:
    one, two = ([share(f"key {number}", salt) for number in range(10_000)] for salt in ("one", "two"))
    for tenth in range(10):
        for shares in (one, two):
            assert abs(sum(tenth / 10 <= value < (tenth + 1) / 10 for value in shares) - 1000) < 120
    both = sum(first < 0.5 and second < 0.5 for first, second in zip(one, two, strict=True))
    assert abs(both - 2500) < 175


def test_key_and_salt_do_not_run_into_each_other() -> None:
    assert share("bc", "a") != share("c", "ab")
