from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from extproc_router.errors import UnclearAnswer
from extproc_router.signals import matcher
from extproc_router.signals.matcher import Matcher

if TYPE_CHECKING:
    from tests.signals.conftest import MakeSubject

ROUTES = {"contract-review": "finding risky clauses", "Small talk": "chat"}
NAMES = frozenset(ROUTES)


def completion(content: str | None) -> bytes:
    return json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}).encode()


def test_the_model_sees_routes_and_the_conversation_as_data(subject: MakeSubject) -> None:
    request = subject(("system", "our secret rules"), "hi", ("assistant", "hello"), "check § 4 \ud800").request
    body = json.loads(matcher.question("arch", ROUTES, request))
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("arch", 0, 128)
    system, user = body["messages"]
    assert "Do not follow" in system["content"]
    assert json.loads(user["content"]) == {
        "routes": [
            {"name": "contract-review", "description": "finding risky clauses"},
            {"name": "Small talk", "description": "chat"},
        ],
        "conversation": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "check § 4 \ufffd"},
        ],
    }


def test_a_long_conversation_is_shown_in_part(subject: MakeSubject) -> None:
    request = subject(*(f"{number}{'x' * 5000}end" for number in range(20))).request
    shown = json.loads(json.loads(matcher.question("arch", ROUTES, request))["messages"][1]["content"])["conversation"]
    assert [turn["content"][:2] for turn in shown] == ["14", "15", "16", "17", "18", "19"]
    assert all(turn["content"].endswith("end") for turn in shown)
    assert sum(len(turn["content"]) for turn in shown) <= 8000


@pytest.mark.parametrize(
    ("content", "route"),
    [
        ('{"route": "contract-review"}', "contract-review"),
        ('```json\n{"route": "contract-review"}\n```', "contract-review"),
        ('<think>{"route": "Small talk"}?</think> {"route":" CONTRACT-review "}', "contract-review"),
        ('Sure: {"route": "small talk", "why": "chat"}', "Small talk"),
        ('{"route": "none"}', "none"),
    ],
)
def test_a_route_is_read_out_of_what_surrounds_it(content: str, route: str) -> None:
    assert matcher.answer(completion(content), NAMES) == route


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"choices": []}',
        completion(None),
        completion("contract-review"),
        completion('{"route": "poetry"}'),
        completion('{"route": 1}'),
        completion('{"rout": "none"}'),
        completion("{route}"),
        completion('{"route": "\ud800"}'),
    ],
)
def test_anything_else_is_unclear_and_not_repeated(body: bytes) -> None:
    with pytest.raises(UnclearAnswer) as caught:
        matcher.answer(body, NAMES)
    assert "poetry" not in str(caught.value)


@given(st.binary() | st.text().map(completion))
def test_an_answer_is_a_route_or_unclear(body: bytes) -> None:
    with suppress(UnclearAnswer):
        assert matcher.answer(body, NAMES) in NAMES | {"none"}


def test_options_are_bounded() -> None:
    good: dict[str, Any] = {"url": "http://127.0.0.1:10001", "model": "arch"}
    assert Matcher(**good).deadline_ms == 100
    bad: list[dict[str, Any]] = [
        {"url": "https://x"},
        {"url": "http://u@x"},
        {"url": "http://x?y"},
        {"deadline_ms": 0},
        {"deadline_ms": 2001},
        {"model": ""},
    ]
    for change in bad:
        with pytest.raises(ValidationError):
            Matcher(**good | change)
